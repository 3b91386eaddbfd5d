/** Saves the model after epochs, each one or the best so far (Keras' `ModelCheckpoint`). */
import { ConfigError } from '../../errors.ts';
import { isJsonObject } from '../../io/json-value.ts';
import { checkOptions } from '../../known-options.ts';
import type { Callback } from './callback.ts';
import { createMonitor, type MonitorOptions } from './monitor.ts';

export interface ModelCheckpointOptions extends Omit<MonitorOptions, 'minDelta'> {
  /** Whether only epochs are saved that are better than all before. Default false. */
  readonly saveBestOnly?: boolean;
  /** What the figure must improve on at first. Default: anything is an improvement. */
  readonly initialValueThreshold?: number;
}

/** The callback, and what it found. */
export interface ModelCheckpoint extends Callback {
  /** The best epoch of the run so far, counted from 1; 0 before the first one that improved on the threshold. */
  readonly bestEpoch: number;
  readonly bestValue: number;
}

/**
 * Saves the model to `file` (`model.save`) after an epoch; '{epoch}' in the name stands for the epoch's number. What
 * `load` brings back has no optimizer state: to go on with a run that was interrupted, `fit` has `checkpoint`.
 * `fit` throws ConfigError where the figure is none of the epoch's, FileError where the file cannot be written.
 */
export function modelCheckpoint(file: string, options: ModelCheckpointOptions = {}): ModelCheckpoint {
  checkOptions('modelCheckpoint', options, {
    monitor: true,
    mode: true,
    saveBestOnly: true,
    initialValueThreshold: true,
  });
  const { saveBestOnly = false, initialValueThreshold } = options;
  const monitor = createMonitor('modelCheckpoint', options);
  const start = { bestEpoch: 0, bestValue: initialValueThreshold ?? monitor.worst };
  let found = start;
  return {
    get bestEpoch() {
      return found.bestEpoch;
    },
    get bestValue() {
      return found.bestValue;
    },
    onTrainBegin() {
      found = start;
    },
    async onEpochEnd(record, { model }) {
      const { epoch } = record;
      const value = monitor.read(record);
      const improved = monitor.improves(value, found.bestValue);
      if (improved) found = { bestEpoch: epoch, bestValue: value };
      if (improved || !saveBestOnly) await model.save(file.replaceAll('{epoch}', String(epoch)));
    },
    // Before the first improvement the best value is the threshold, or an infinity, which JSON does not know.
    saveState: () => ({ data: found.bestEpoch === 0 ? null : { ...found } }),
    restoreState({ data }) {
      if (data === null) return;
      const { bestEpoch, bestValue } = isJsonObject(data) ? data : {};
      if (!Number.isSafeInteger(bestEpoch) || (bestEpoch as number) < 1 || !Number.isFinite(bestValue)) {
        throw new ConfigError({
          operation: 'modelCheckpoint',
          argument: 'saved state',
          expected: 'an epoch and a number',
          received: JSON.stringify(data),
        });
      }
      found = { bestEpoch: bestEpoch as number, bestValue: bestValue as number };
    },
  };
}
