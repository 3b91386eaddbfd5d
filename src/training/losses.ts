/** Losses: names and options as in Keras, as plain data. loss-plans.ts makes kernel calls of them. */
import { ConfigError, formatValue } from '../errors.ts';
import { checkOptions, type OptionNames } from '../known-options.ts';
import { memberOf } from './by-name.ts';

/** Names of losses with all their defaults, as in Keras. */
export type LossName = keyof typeof BY_NAME;

/** A loss with its options, as plain data: what functions such as `categoricalCrossentropy()` return. */
export interface Loss {
  readonly name: LossName;
  readonly labelSmoothing?: number;
  readonly fromLogits?: boolean;
  readonly delta?: number;
  readonly smooth?: number;
}

export interface CrossentropyOptions {
  /**
   * s, from 0 to 1: what of the target is spread evenly over all classes (Szegedy et al. 2016). The target's class is
   * expected with probability 1 - s + s / classes. The reported loss is the smoothed one. Default 0.
   */
  readonly labelSmoothing?: number;
  /**
   * A softmax (binary: a sigmoid) at the end of the model is left to the loss, which computes both from the logits.
   * Other outputs are logits where this is true (default), and probabilities where it is false: those are divided by
   * their sum (not the binary ones) and held between 1e-7 and 1 - 1e-7, as in Keras.
   */
  readonly fromLogits?: boolean;
}

const CROSSENTROPY_OPTIONS: OptionNames<CrossentropyOptions> = { labelSmoothing: true, fromLogits: true };

/**
 * Cross-entropy between the targets' distribution and the softmax over the last axis:
 * -sum over classes of target log(softmax(z)). Takes class indices or dense targets, whichever the data set has; for
 * outputs [H, W, classes] one a pixel, and the mean over the pixels is the sample's loss.
 */
export function categoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  return crossentropy('categoricalCrossentropy', options);
}

/** The same under Keras' name for class indices. */
export function sparseCategoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  return crossentropy('sparseCategoricalCrossentropy', options);
}

/**
 * Cross-entropy of every output by itself, a yes or no: -(t log p + (1 - t) log(1 - p)), its mean over the outputs.
 * Targets are dense and of the outputs' shape, or class indices 0 and 1 for one output (a pixel).
 */
export function binaryCrossentropy(options: CrossentropyOptions = {}): Loss {
  return crossentropy('binaryCrossentropy', options);
}

/** Mean of (output - target)^2. */
export function meanSquaredError(): Loss {
  return { name: 'meanSquaredError' };
}

/** Mean of |output - target|. */
export function meanAbsoluteError(): Loss {
  return { name: 'meanAbsoluteError' };
}

export interface HuberOptions {
  /** Where the square becomes a line; default 1. */
  readonly delta?: number;
}

/** Mean of d^2 / 2 where |d| = |output - target| is at most delta, else of delta (|d| - delta / 2) (Huber 1964). */
export function huber(options: HuberOptions = {}): Loss {
  checkOptions('huber', options, { delta: true });
  const { delta = 1 } = options;
  if (!(delta > 0 && delta < Infinity)) refuse('huber', 'delta', 'a positive, finite number', delta);
  return { name: 'huber', delta };
}

export interface DiceOptions {
  /** Added above and below, so that empty masks cost nothing; default 1e-7. */
  readonly smooth?: number;
}

/**
 * 1 - 2 sum(p t) / (sum p + sum t) over all outputs of a sample, which are probabilities (Milletari et al. 2016, with the
 * sums of Keras' Dice). Each sample has its own sums, where Keras' default takes those of the batch.
 */
export function dice(options: DiceOptions = {}): Loss {
  checkOptions('dice', options, { smooth: true });
  const { smooth = 1e-7 } = options;
  if (!(smooth >= 0 && smooth < Infinity)) refuse('dice', 'smooth', 'a finite number from 0 on', smooth);
  return { name: 'dice', smooth };
}

function crossentropy<N extends string>(name: N, options: CrossentropyOptions) {
  checkOptions(name, options, CROSSENTROPY_OPTIONS);
  const { labelSmoothing = 0, fromLogits = true } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    refuse(name, 'labelSmoothing', 'a number from 0 to 1', labelSmoothing);
  }
  if (typeof fromLogits !== 'boolean') refuse(name, 'fromLogits', 'true or false', fromLogits);
  return { name, labelSmoothing, ...(!fromLogits && { fromLogits }) };
}

const BY_NAME = {
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
  binaryCrossentropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
  dice,
};

const WITHOUT_OPTIONS: readonly string[] = ['meanSquaredError', 'meanAbsoluteError'];
const NUMBERS: readonly string[] = [...WITHOUT_OPTIONS, 'huber'];

/** Whether a loss is one of numbers, which have errors and no hits. */
export function isNumbers(name: LossName): boolean {
  return NUMBERS.includes(name);
}

/** A loss by name with its defaults, or the given one. Throws ConfigError for anything else. */
export function resolveLoss(loss: LossName | Loss): Loss {
  const { name, ...options } = typeof loss === 'string' ? { name: loss } : Object(loss as Loss);
  if (WITHOUT_OPTIONS.includes(name)) checkOptions(name, options, {});
  if (Object.hasOwn(BY_NAME, name)) return (BY_NAME[name as LossName] as (given: object) => Loss)(options);
  throw new ConfigError({
    operation: 'fit',
    argument: 'loss',
    expected: `one of ${Object.keys(BY_NAME).join(', ')}`,
    received: formatValue(loss),
  });
}

function refuse(operation: string, argument: string, expected: string, received: unknown): never {
  throw new ConfigError({ operation, argument, expected, received: String(received) });
}

/** A weight for each output, 1 where none is named; undefined where all are 1. Throws ConfigError. */
export function outputWeights(
  operation: string,
  outputs: readonly string[],
  lossWeights: Readonly<Record<string, number>> = {},
): readonly number[] | undefined {
  for (const [name, weight] of Object.entries(lossWeights)) {
    if (outputs.includes(name) && Number.isFinite(weight) && weight >= 0) continue;
    throw new ConfigError({
      operation,
      argument: `lossWeights.${name}`,
      expected: `a finite weight from 0 on for one of ${outputs.join(', ')}`,
      received: String(weight),
    });
  }
  const weights = outputs.map((name) => memberOf(lossWeights, name) ?? 1);
  return weights.every((weight) => weight === 1) ? undefined : weights;
}
