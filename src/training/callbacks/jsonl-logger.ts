/**
 * Writes what happens in a run as JSON, one event a line, for those who want to follow or keep it:
 *
 *   {"event":"begin","time":"2026-11-24T12:00:00.000Z","epochs":20,"samples":45000,"parameters":558186}
 *   {"event":"steps","time":...,"epoch":1,"step":120,"steps":1407,"loss":...,"accuracy":...,"learningRate":...,...}
 *   {"event":"epoch","time":...,"epoch":1,"loss":...,"valLoss":...,...}
 *   {"event":"end","time":...,"end":"finished"}
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { FileError } from '../../errors.ts';
import { checkOptions } from '../../known-options.ts';
import { type EpochRecord, withoutUnknown, withUnknown } from '../history.ts';
import type { Callback } from './callback.ts';

export interface JsonlLoggerOptions {
  /** Least number of seconds between two events `steps`. Default 1. */
  readonly everySeconds?: number;
}

/** The callback; whoever has more to tell writes it to the same file. */
export interface JsonlLogger extends Callback {
  /** Writes an event of one's own. Throws FileError where that cannot be. */
  log(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * Each line is handed to the system at once, and but for `steps` is on the disk before the run goes on. The file is
 * written anew, or, by a run that may go on from a checkpoint, gone on with: epochs that it runs again are there twice,
 * and the later ones count (`readEpochEvents`). `fit` throws FileError where the file cannot be written.
 */
export function jsonlLogger(file: string, options: JsonlLoggerOptions = {}): JsonlLogger {
  checkOptions('jsonlLogger', options, { everySeconds: true });
  const { everySeconds = 1 } = options;
  let next = 0;
  const write = (event: string, fields: Readonly<Record<string, unknown>>, flushed: boolean) => {
    const line = `${JSON.stringify({ event, time: new Date().toISOString(), ...fields })}\n`;
    attempt(file, () => {
      const descriptor = openSync(file, 'a');
      try {
        writeSync(descriptor, line);
        if (flushed) fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  };
  return {
    log: (event, fields = {}) => write(event, fields, true),
    onTrainBegin({ model, dataset, epochs, options: { checkpoint } }) {
      attempt(file, () => cutOff(file, checkpoint?.resume ? wholeLines(file) : 0));
      write('begin', { epochs, samples: dataset.size, parameters: model.parameterCount }, true);
      next = performance.now() + 1000 * everySeconds;
    },
    onBatchEnd(progress) {
      if (performance.now() < next) return;
      next = performance.now() + 1000 * everySeconds;
      write('steps', withoutUnknown(progress), false);
    },
    onEpochEnd: (record) => write('epoch', withoutUnknown(record), true),
    onTrainEnd: ({ end }) => write('end', { end }, true),
  };
}

/**
 * The finished epochs of a run, from the text of such a file: of an epoch that was run again the last one, and nothing
 * of what was run before it and comes after it. Lines that are no events are passed over.
 */
export function readEpochEvents(text: string): EpochRecord[] {
  let records: EpochRecord[] = [];
  for (const line of text.split('\n')) {
    let found: unknown;
    try {
      found = JSON.parse(line);
    } catch {
      continue;
    }
    const { event, time: _, ...record } = (found ?? {}) as { event?: unknown; time?: unknown } & EpochRecord;
    if (event !== 'epoch' || !Number.isSafeInteger(record.epoch)) continue;
    records = [...records.filter(({ epoch }) => epoch < record.epoch), withUnknown(record)];
  }
  return records;
}

/** Bytes up to the last line's end: a line that a power cut tore is none. */
function wholeLines(file: string): number {
  return existsSync(file) ? readFileSync(file).lastIndexOf(0x0a) + 1 : 0;
}

function cutOff(file: string, bytes: number): void {
  closeSync(openSync(file, 'a'));
  truncateSync(file, bytes);
}

function attempt(file: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const expected = 'a file that can be written to';
    throw new FileError({ operation: 'jsonlLogger', argument: file, expected, received }, { cause });
  }
}
