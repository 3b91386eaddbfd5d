/** The mistakes that a classifier is surest of: bad labels, and what it has not understood. */
import { ConfigError } from '../../errors.ts';
import type { Prediction } from '../evaluate.ts';
import { argMax, checkAnswers, checkPrediction } from './answers.ts';

/** A sample that was taken for another class. */
export interface Mistake {
  /** In the data set. */
  readonly index: number;
  /** Its class. */
  readonly label: number;
  /** What it was taken for. */
  readonly predicted: number;
  /** The probability of that answer. */
  readonly confidence: number;
  /** The probability that its own class got. */
  readonly labelProbability: number;
}

/**
 * The `count` (24) mistakes with the largest outputs of [N, C], largest first, those of one size in the data set's
 * order. Throws ConfigError unless count is a whole number, and what `argMax` throws.
 */
export function mostConfidentMistakes(
  labels: ArrayLike<number>,
  prediction: Prediction,
  options: { /** Default 24. */ readonly count?: number } = {},
): Mistake[] {
  const operation = 'mostConfidentMistakes';
  const { count = 24 } = options;
  if (!Number.isInteger(count) || count < 0) {
    const expected = 'a whole number from 0 on';
    throw new ConfigError({ operation, argument: 'count', expected, received: String(count) });
  }
  const { samples, classes } = checkPrediction(operation, prediction);
  checkAnswers(operation, 'labels', labels, samples, classes);
  const { data } = prediction;
  const mistakes: Mistake[] = [];
  argMax(prediction).forEach((predicted, index) => {
    const label = labels[index]!;
    if (predicted === label) return;
    const from = index * classes;
    mistakes.push({
      index,
      label,
      predicted,
      confidence: data[from + predicted]!,
      labelProbability: data[from + label]!,
    });
  });
  return mistakes.sort((a, b) => b.confidence - a.confidence || a.index - b.index).slice(0, count);
}
