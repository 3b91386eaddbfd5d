/** Sums over samples, and the metrics that come of them. */
import type { StepResults } from '../parallel/results.ts';
import type { Metrics } from './history.ts';
import { type Loss, type LossName, resolveLoss } from './losses.ts';

/** Sums over the samples so far. */
export interface MetricSums {
  loss: number;
  /** Shares of right answers. */
  correct: number;
  /** Mean errors of losses of numbers. */
  errors: number;
  samples: number;
}

/** Adds a step's results, in the order of its samples. */
export function addResults(sums: MetricSums, results: StepResults, count: number): void {
  const { losses, correct, answers, errors, penalty } = results;
  for (let i = 0; i < count; i++) {
    sums.loss += losses[i]!;
    sums.correct += correct[i]! / answers;
    sums.errors += errors === undefined ? 0 : errors[i]!;
  }
  sums.loss += penalty * count;
  sums.samples += count;
}

/** Means over the samples. Numbers are not right or wrong: their accuracy is NaN, and their error is told. */
export function metricsFrom(sums: MetricSums, loss: LossName | Loss): Metrics {
  const { samples } = sums;
  const mean = { loss: sums.loss / samples };
  const { name } = resolveLoss(loss);
  if (!['meanSquaredError', 'meanAbsoluteError', 'huber'].includes(name)) {
    return { ...mean, accuracy: sums.correct / samples };
  }
  return { ...mean, accuracy: Number.NaN, meanAbsoluteError: sums.errors / samples };
}

/** No samples yet. */
export function noResults(): MetricSums {
  return { loss: 0, correct: 0, errors: 0, samples: 0 };
}
