/** Writes each epoch's figures as a line of comma-separated values (Keras' `CSVLogger`). */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ConfigError } from '../../errors.ts';
import type { EpochRecord } from '../history.ts';
import type { Callback } from './callback.ts';

export interface CsvLoggerOptions {
  /** Whether lines are added to a file that is there, under its own header. Default false: it is written anew. */
  readonly append?: boolean;
  /** Default ','. */
  readonly separator?: string;
}

/**
 * Writes `file` as the run goes: a header of the first record's names, then a line an epoch. Names have no
 * separators or quotes in them, and numbers are written so that they read back as the same double.
 * `fit` throws ConfigError where the file cannot be written, or where an existing header names other figures.
 */
export function csvLogger(file: string, options: CsvLoggerOptions = {}): Callback {
  const { append = false, separator = ',' } = options;
  let columns: readonly string[] | undefined;
  return {
    onTrainBegin() {
      columns = append ? existingHeader(file, separator) : undefined;
      if (columns === undefined) attempt(file, () => writeFileSync(file, ''));
    },
    onEpochEnd(record) {
      const figures = figuresOf(record);
      if (columns === undefined) {
        columns = Object.keys(figures);
        appendLine(file, columns.join(separator));
      }
      checkColumns(file, columns, Object.keys(figures));
      appendLine(file, columns.map((name) => String(figures[name])).join(separator));
    },
  };
}

/** The numbers of a record, by name. */
function figuresOf(record: EpochRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
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
