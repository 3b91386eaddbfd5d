/** Writes each epoch's figures as a line of a CSV file (Keras' `CSVLogger`). */
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { ConfigError } from '../../errors.ts';
import { isJsonObject } from '../../io/json-value.ts';
import { checkOptions } from '../../known-options.ts';
import { type EpochRecord, figuresOf } from '../history.ts';
import type { Callback } from './callback.ts';

export interface CsvLoggerOptions {
  /** Whether lines are added to a file that is there, under its own header. Default false: it is written anew. */
  readonly append?: boolean;
  /** Default ','. */
  readonly separator?: string;
}

/**
 * Writes `file` as the run goes: a header of the first record's names, then a line an epoch. Names have no
 * separators or quotes in them, and numbers are written so that they read back as the same double. A run that goes on
 * from a checkpoint goes on with its file: lines of epochs that it runs again are replaced.
 * `fit` throws ConfigError where the file cannot be written, or where an existing header names other figures.
 */
export function csvLogger(file: string, options: CsvLoggerOptions = {}): Callback {
  checkOptions('csvLogger', options, { append: true, separator: true });
  const { append = false, separator = ',' } = options;
  let columns: readonly string[] | undefined;
  /** Bytes to keep of what is there when the first line is written. */
  let kept = 0;
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    attempt(file, () => truncateSync(file, Math.min(kept, sizeOf(file))));
    columns = existingHeader(file, separator);
  };
  return {
    onTrainBegin({ options: { checkpoint } }) {
      attempt(file, () => closeSync(openSync(file, 'a')));
      kept = append ? sizeOf(file) : 0;
      begun = false;
      // A run that may go on has not said yet from where: `restoreState` does.
      if (!checkpoint?.resume) begin();
    },
    onEpochEnd(record) {
      begin();
      const figures = columnsOf(record, separator);
      if (columns === undefined) {
        columns = Object.keys(figures);
        appendLine(file, columns.join(separator));
      }
      checkColumns(file, columns, Object.keys(figures));
      appendLine(file, columns.map((name) => String(figures[name])).join(separator));
    },
    saveState: () => ({ data: { bytes: begun ? sizeOf(file) : kept } }),
    restoreState({ data }) {
      const bytes = isJsonObject(data) ? data.bytes : undefined;
      if (!Number.isSafeInteger(bytes) || (bytes as number) < 0) {
        const received = JSON.stringify(bytes) ?? 'none';
        throw new ConfigError({
          operation: 'csvLogger',
          argument: 'saved state',
          expected: 'a size',
          received,
        });
      }
      kept = bytes as number;
    },
    onTrainEnd: begin,
  };
}

function sizeOf(file: string): number {
  return attempt(file, () => (existsSync(file) ? statSync(file).size : 0));
}

/** The figures of a record; what would break a line in the name of an output becomes _. */
function columnsOf(record: EpochRecord, separator: string): Record<string, number> {
  const plain = (name: string) => name.replaceAll(separator, '_').replace(/["\r\n]/g, '_');
  return Object.fromEntries(Object.entries(figuresOf(record)).map(([name, value]) => [plain(name), value]));
}

function existingHeader(file: string, separator: string): string[] | undefined {
  if (!existsSync(file)) return undefined;
  const [header = ''] = attempt(file, () => readFileSync(file, 'utf8')).split(/\r?\n/, 1);
  return header === '' ? undefined : header.split(separator);
}

function checkColumns(file: string, columns: readonly string[], names: readonly string[]): void {
  if (names.length === columns.length && names.every((name) => columns.includes(name))) return;
  throw new ConfigError({
    operation: 'csvLogger',
    argument: file,
    expected: `the columns ${columns.join(', ')}`,
    received: names.join(', '),
    hint: 'give another file, or leave append out',
  });
}

function appendLine(file: string, line: string): void {
  attempt(file, () => appendFileSync(file, `${line}\n`));
}

function attempt<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const expected = 'a file that can be written to';
    throw new ConfigError({ operation: 'csvLogger', argument: file, expected, received }, { cause });
  }
}
