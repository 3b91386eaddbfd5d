/** Which epoch is better: by one figure of its record. */
import { ConfigError } from '../../errors.ts';
import { type EpochRecord, figuresOf } from '../history.ts';

export interface MonitorOptions {
  /** A figure of the epoch's record, such as 'valLoss', 'accuracy' or 'valOutputs.box.loss'. Default 'valLoss'. */
  readonly monitor?: string;
  /** Whether less or more is better. Default 'auto': more for accuracies, else less. */
  readonly mode?: 'auto' | 'min' | 'max';
  /** A change of no more than this is none. Default 0. */
  readonly minDelta?: number;
}

/** Reads the figure of a record and compares it. */
export interface Monitor {
  readonly name: string;
  /** Throws ConfigError where the record has no such figure. */
  read(record: EpochRecord): number;
  /** Whether `value` is better than `best` by more than `minDelta`. */
  improves(value: number, best: number): boolean;
  /** What every value improves on. */
  readonly worst: number;
}

/** Checks the options. Throws ConfigError. */
export function createMonitor(operation: string, options: MonitorOptions): Monitor {
  const { monitor: name = 'valLoss', mode = 'auto', minDelta = 0 } = options;
  const refuse = (argument: string, expected: string, received: unknown, hint?: string): never => {
    const details = { operation, argument, expected, received: String(received) };
    throw new ConfigError(hint === undefined ? details : { ...details, hint });
  };
  if (!['auto', 'min', 'max'].includes(mode)) refuse('mode', "'auto', 'min' or 'max'", mode);
  if (!(minDelta >= 0 && minDelta < Infinity)) refuse('minDelta', 'a finite number from 0 on', minDelta);
  const more = mode === 'max' || (mode === 'auto' && /accuracy/i.test(name));
  return {
    name,
    worst: more ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    improves: (value, best) => (more ? value > best + minDelta : value < best - minDelta),
    read: (record) => {
      const own = (record as unknown as Record<string, unknown>)[name];
      if (typeof own === 'number') return own;
      const figures = figuresOf(record);
      if (figures[name] !== undefined) return figures[name];
      const hint = name.startsWith('val') ? 'give fit a validation set' : undefined;
      return refuse('monitor', `one of ${Object.keys(figures).join(', ')}`, name, hint);
    },
  };
}
