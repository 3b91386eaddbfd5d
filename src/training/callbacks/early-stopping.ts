/** Ends a run when it gets no better (Keras' `EarlyStopping`). */
import { ConfigError } from '../../errors.ts';
import { checkOptions } from '../../known-options.ts';
import type { Weight } from '../state.ts';
import type { Callback } from './callback.ts';
import { createMonitor, type MonitorOptions } from './monitor.ts';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which the run ends. Default 0: the first one ends it. */
  readonly patience?: number;
  /** What the figure must improve on at first. Default: anything is an improvement. */
  readonly baseline?: number;
  /** Epochs at the start that are only watched for the best one, not counted. Default 0. */
  readonly startFromEpoch?: number;
  /**
   * Whether the model gets the weights of its best epoch at the end, also where all epochs were run. They are kept in
   * memory. Not done where the signal aborted the run, which may be gone on with. Default false.
   */
  readonly restoreBestWeights?: boolean;
}

/** The callback, and what it found. */
export interface EarlyStopping extends Callback {
  /** The best epoch of the last run, counted from 1; 0 before the first one ended. */
  readonly bestEpoch: number;
  readonly bestValue: number;
  /** The epoch after which it ended the run; 0 where it did not. */
  readonly stoppedEpoch: number;
}

/**
 * Ends the run after `patience` epochs in which the figure did not improve. `fit` throws ConfigError where the figure
 * is none of the epoch's, such as 'valLoss' without a validation set.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  checkOptions('earlyStopping', options, {
    monitor: true,
    mode: true,
    minDelta: true,
    patience: true,
    baseline: true,
    startFromEpoch: true,
    restoreBestWeights: true,
  });
  const { patience = 0, startFromEpoch = 0, restoreBestWeights = false } = options;
  const monitor = createMonitor('earlyStopping', options);
  checkCount('patience', patience);
  checkCount('startFromEpoch', startFromEpoch);
  const baseline = options.baseline ?? monitor.worst;
  const start = { bestEpoch: 0, bestValue: baseline, stoppedEpoch: 0, waited: 0 };
  let found = start;
  let best: Readonly<Record<string, Weight>> | undefined;
  return {
    get bestEpoch() {
      return found.bestEpoch;
    },
    get bestValue() {
      return found.bestValue;
    },
    get stoppedEpoch() {
      return found.stoppedEpoch;
    },
    onTrainBegin() {
      found = start;
      best = undefined;
    },
    onEpochEnd(record, { model }) {
      const value = monitor.read(record);
      const { epoch } = record;
      // Without any weights to return to, the first epoch's are better than none (as in Keras).
      if (restoreBestWeights && best === undefined) best = model.getWeights();
      if (monitor.improves(value, found.bestValue)) {
        found = { bestEpoch: epoch, bestValue: value, stoppedEpoch: 0, waited: 0 };
        if (restoreBestWeights) best = model.getWeights();
        return undefined;
      }
      if (epoch <= startFromEpoch) return undefined;
      found = { ...found, waited: found.waited + 1 };
      if (found.waited < Math.max(1, patience)) return undefined;
      found = { ...found, stoppedEpoch: epoch };
      return 'stop';
    },
    saveState: () => ({
      // Before the first epoch the best value is the baseline, or an infinity, which JSON does not know.
      data: { ...found, bestValue: found.bestEpoch === 0 ? null : found.bestValue },
      ...(best && { weights: best }),
    }),
    restoreState({ data, weights = {} }) {
      const { bestEpoch, bestValue, stoppedEpoch, waited } = data as unknown as typeof start;
      for (const count of [bestEpoch, stoppedEpoch, waited]) checkCount('saved state', count);
      found = { bestEpoch, bestValue: bestEpoch === 0 ? baseline : Number(bestValue), stoppedEpoch, waited };
      best = Object.keys(weights).length === 0 ? undefined : weights;
    },
    onTrainEnd({ end }, { model }) {
      if (end !== 'aborted' && best !== undefined) model.setWeights(best);
      best = undefined;
    },
  };
}

function checkCount(argument: string, value: number): void {
  if (Number.isInteger(value) && value >= 0) return;
  const expected = 'a whole number of epochs from 0 on';
  throw new ConfigError({ operation: 'earlyStopping', argument, expected, received: String(value) });
}
