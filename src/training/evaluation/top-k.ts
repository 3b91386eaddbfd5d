/** How often the truth is among the k largest outputs. */
import { ConfigError } from '../../errors.ts';
import type { Prediction } from '../evaluate.ts';
import { checkAnswers, checkPrediction } from './answers.ts';

/**
 * Share of the samples whose class is among the k largest outputs of [N, C]. Among equal outputs the lower class
 * comes first, as in `argMax`, so that k = 1 gives the accuracy. `labels` are class indices [N].
 * Throws ConfigError unless k is a whole number from 1 to C, and what `argMax` throws.
 */
export function topKAccuracy(labels: ArrayLike<number>, prediction: Prediction, k: number): number {
  const operation = 'topKAccuracy';
  const { samples, classes } = checkPrediction(operation, prediction);
  checkAnswers(operation, 'labels', labels, samples, classes);
  if (!Number.isInteger(k) || k < 1 || k > classes) {
    const expected = `a whole number from 1 to ${classes}, the number of classes`;
    throw new ConfigError({ operation, argument: 'k', expected, received: String(k) });
  }
  const { data } = prediction;
  let hits = 0;
  for (let sample = 0; sample < samples; sample++) {
    const from = sample * classes;
    const label = labels[sample]!;
    const truth = data[from + label]!;
    let before = 0;
    for (let c = 0; c < classes; c++) {
      const value = data[from + c]!;
      if (value > truth || (value === truth && c < label)) before++;
    }
    if (before < k) hits++;
  }
  return samples === 0 ? 0 : hits / samples;
}
