/** Metrics that users ask for besides loss, accuracy and mean absolute error, from outputs and targets. */
import type { Targets } from '../data/dataset.ts';
import { ConfigError, formatValue } from '../errors.ts';
import { isNumbers, type Loss } from './losses.ts';

/**
 * A metric by name:
 * - `accuracy`, `meanAbsoluteError`: told anyway, where the loss is one of classes, or of numbers
 * - `top5Accuracy`, with any number: how often the target's class is among the 5 likeliest, for categorical
 *   cross-entropies; for masks of pixels. Of equal outputs the one of the smaller class comes first
 * - `meanSquaredError`: for losses of numbers
 */
export type Metric = 'accuracy' | 'meanAbsoluteError' | 'meanSquaredError' | `top${number}Accuracy`;

/** Metrics of all outputs that they fit, or of each by its name. */
export type MetricsOption = readonly Metric[] | Readonly<Record<string, readonly Metric[]>>;

const TOP = /^top([1-9]\d*)Accuracy$/;
const TOLD: readonly string[] = ['accuracy', 'meanAbsoluteError'];

/** Throws ConfigError for what is no metric. */
export function checkMetric(operation: string, metric: Metric): void {
  if (
    typeof metric === 'string' &&
    (TOLD.includes(metric) || metric === 'meanSquaredError' || TOP.test(metric))
  ) {
    return;
  }
  throw new ConfigError({
    operation,
    argument: 'metrics',
    expected: 'accuracy, top5Accuracy with any number, meanAbsoluteError or meanSquaredError',
    received: formatValue(metric),
  });
}

/** Whether a metric makes sense for an output with this loss. */
export function fitsLoss(metric: Metric, { name }: Loss): boolean {
  if (metric === 'accuracy') return !isNumbers(name);
  if (TOP.test(metric)) return /categoricalCrossentropy/i.test(name);
  return isNumbers(name);
}

/** Whether it has to be worked out from outputs and targets. */
export function isComputed(metric: Metric): boolean {
  return !TOLD.includes(metric);
}

/**
 * Adds a metric of each sample to a sum, one after the other, so that batches of any size give the same. `outputs`
 * [count, ...shape], logits or probabilities, with `last` values in the last axis; `targets` as they are stored.
 */
export function addMetric(
  sum: number,
  metric: Metric,
  batch: {
    readonly outputs: Float32Array;
    readonly targets: Int32Array | Float32Array;
    readonly kind: Targets;
    readonly last: number;
    readonly count: number;
  },
): number {
  const { outputs, targets, kind, last, count } = batch;
  const each = outputs.length / count;
  const k = Number(TOP.exec(metric)?.[1]);
  let total = sum;
  for (let sample = 0; sample < count; sample++) {
    let own = 0;
    if (metric === 'meanSquaredError') {
      for (let i = sample * each; i < (sample + 1) * each; i++) {
        const difference = outputs[i]! - targets[i]!;
        own += difference * difference;
      }
      total += own / each;
      continue;
    }
    for (let start = sample * each; start < (sample + 1) * each; start += last) {
      const target = kind.kind === 'index' ? targets[start / last]! : largest(targets, start, last);
      if (rankOf(outputs, start, last, target) < k) own += 1;
    }
    total += own / (each / last);
  }
  return total;
}

/** How many of a row come before its value at a place. NaN is never among the likeliest. */
function rankOf(values: Float32Array, start: number, length: number, place: number): number {
  const own = values[start + place]!;
  if (Number.isNaN(own)) return length;
  let rank = 0;
  for (let i = 0; i < length; i++) {
    const value = values[start + i]!;
    if (value > own || (value === own && i < place)) rank += 1;
  }
  return rank;
}

function largest(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}
