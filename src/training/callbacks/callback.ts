/** What may happen at the ends of steps, epochs and runs: the contract of `fit`'s callbacks. */
import type { Dataset } from '../../data/dataset.ts';
import type { NamedDataset } from '../../data/named-dataset.ts';
import type { Json } from '../../io/json-value.ts';
import type { FitOptions } from '../fit.ts';
import type { EpochRecord, History, StepProgress } from '../history.ts';
import type { Model } from '../model.ts';
import type { Weight } from '../state.ts';

/** The run that a callback belongs to. */
export interface TrainingRun {
  readonly model: Model;
  readonly dataset: Dataset | NamedDataset;
  readonly options: FitOptions;
  /** Epochs of the run, those done before it included. */
  readonly epochs: number;
}

/** What a callback remembers from one epoch to the next. */
export interface CallbackState {
  /** Must survive JSON. */
  readonly data: Json;
  readonly weights?: Readonly<Record<string, Weight>>;
}

/**
 * Functions that `fit` calls and waits for. Names are Keras'. An error that one throws ends the run and is what `fit`
 * throws.
 */
export interface Callback {
  /** Before the first step. */
  onTrainBegin?(run: TrainingRun): void | Promise<void>;
  /** After each step. The model's weights may be read and written; nothing else of it may be used. */
  onBatchEnd?(progress: StepProgress, run: TrainingRun): void | Promise<void>;
  /** After each epoch and its validation; the model may be used. 'stop' ends the run with this epoch. */
  onEpochEnd?(
    record: EpochRecord,
    run: TrainingRun,
  ): 'stop' | void | Promise<'stop' | undefined> | Promise<void>;
  /**
   * What a checkpoint must keep of the callback: plain data, and weights. With it, `restoreState` lets a resumed run go
   * on as if it had not stopped; it is called after `onTrainBegin`.
   */
  saveState?(): CallbackState;
  restoreState?(state: CallbackState): void;
  /** After the run, however it ended, except by an error. */
  onTrainEnd?(history: History, run: TrainingRun): void | Promise<void>;
}
