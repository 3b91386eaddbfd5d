/** What a training run reports. */

/** An output's figures, where outputs have losses or targets of their own. */
export interface OutputMetrics {
  /** Mean over the samples, without the output's weight. */
  readonly loss: number;
  /** Of losses of classes. */
  readonly accuracy?: number;
  /** Of losses of numbers. */
  readonly meanAbsoluteError?: number;
  /** Those of the option `metrics` that the loss does not tell, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Mean loss and share of right answers over samples. */
export interface Metrics {
  /** Mean over the samples: of several outputs the sum, each with its weight, with penalties. */
  readonly loss: number;
  /** Share of right answers, 0 to 1: for masks that of pixels, for yes and no that of outputs; NaN for numbers. */
  readonly accuracy: number;
  /** Mean of |output - target|, for losses of numbers only. */
  readonly meanAbsoluteError?: number;
  /** Those of the option `metrics` that the loss does not tell, by name; of several outputs in `outputs`. */
  readonly metrics?: Readonly<Record<string, number>>;
  /**
   * By the outputs' names, where outputs have losses or targets of their own. `accuracy` is then that of the first output
   * that has one.
   */
  readonly outputs?: Readonly<Record<string, OutputMetrics>>;
}

/** Metrics of an epoch, or of its part so far. */
export interface EpochMetrics extends Metrics {
  /** Steps left out because a value was not finite; only with `onNonFinite: 'skip'`. The others' metrics count. */
  readonly skippedSteps?: number;
}

/** One finished epoch, counted from 1. */
export interface EpochRecord extends EpochMetrics {
  readonly epoch: number;
  /** Only with a validation set. */
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  readonly valMeanAbsoluteError?: number;
  readonly valMetrics?: Readonly<Record<string, number>>;
  readonly valOutputs?: Readonly<Record<string, OutputMetrics>>;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  /** Seconds of the training part. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** A look at a running epoch; metrics are those of the epoch so far. */
export interface StepProgress extends EpochMetrics {
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch, and all of them. */
  readonly step: number;
  readonly steps: number;
  readonly learningRate: number;
  /**
   * By layer, with `gradientNorms: true`: the L2 norm of the step's gradients of its parameters, penalties included,
   * before clipping. Without it, and for a step that was left out, undefined.
   */
  readonly gradientNorms?: Readonly<Record<string, number>>;
  readonly imagesPerSecond: number;
  /** Seconds left in this epoch. */
  readonly secondsLeft: number;
}

/** The result of `fit`. */
export interface History {
  readonly epochs: readonly EpochRecord[];
  /**
   * 'aborted' where the signal ended the run early; the unfinished epoch is not in `epochs`. 'stopped' where a
   * callback, such as `earlyStopping`, or the caller ended it after an epoch.
   */
  readonly end: 'finished' | 'stopped' | 'aborted';
}

/** Figures that are NaN where there are none, as of losses of numbers. */
const ACCURACIES = ['accuracy', 'valAccuracy'];

/**
 * The numbers of a record by name, those of outputs by their paths: `loss`, `valLoss`, `outputs.box.loss`. Accuracies
 * that are NaN are left out: there is none.
 */
export function figuresOf(record: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]: [string, unknown]): [string, number][] => {
      if (typeof value === 'number') {
        return Number.isNaN(value) && ACCURACIES.includes(name) ? [] : [[name, value]];
      }
      if (typeof value !== 'object' || value === null) return [];
      return Object.entries(figuresOf(value)).map(([rest, figure]) => [`${name}.${rest}`, figure]);
    }),
  );
}

/** A record as JSON can keep it, which has neither NaN nor infinities: such figures are left out. */
export function withoutUnknown(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]: [string, unknown]): [string, unknown][] => {
      if (typeof value === 'number' && !Number.isFinite(value)) return [];
      const nested = typeof value === 'object' && value !== null;
      return [[name, nested ? withoutUnknown(value) : value]];
    }),
  );
}

/** What `withoutUnknown` has left of a record, with accuracies again. */
export function withUnknown<T extends object>(record: T): T & Pick<EpochRecord, 'accuracy'> {
  const { accuracy, valLoss, valAccuracy } = record as Partial<EpochRecord>;
  const checked = valLoss !== undefined && { valAccuracy: valAccuracy ?? Number.NaN };
  return { ...record, accuracy: accuracy ?? Number.NaN, ...checked };
}
