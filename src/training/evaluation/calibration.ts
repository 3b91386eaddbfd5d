/**
 * Whether a classifier's probabilities mean what they say: of the answers given with confidence p, a share of p should
 * be right (Guo et al. 2017, "On Calibration of Modern Neural Networks").
 *
 *   ECE = sum over bins b of (n_b / N) |accuracy_b - confidence_b|
 *
 * Bins are of equal width; a confidence on the edge between two belongs to the lower one.
 */
import { ConfigError, DataError } from '../../errors.ts';
import type { Prediction } from '../evaluate.ts';
import { argMax, checkAnswers, checkPrediction } from './answers.ts';

/** The answers whose confidence lies in (from, to]. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Means over the bin; NaN in an empty one. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  /** The expected calibration error, 0 to 1. */
  readonly expectedError: number;
  /** The largest difference of a bin. */
  readonly maximumError: number;
  readonly bins: readonly CalibrationBin[];
}

/**
 * Compares confidence (the largest of a sample's probabilities [N, C]) with accuracy in `bins` bins.
 * Throws ConfigError for a senseless number of bins, DataError for outputs that are no probabilities, and what
 * `argMax` throws.
 */
export function calibration(
  labels: ArrayLike<number>,
  prediction: Prediction,
  options: { /** Default 15. */ readonly bins?: number } = {},
): Calibration {
  const operation = 'calibration';
  const { bins: count = 15 } = options;
  if (!Number.isInteger(count) || count < 1 || count > 10_000) {
    const expected = 'a whole number of bins from 1 to 10000';
    throw new ConfigError({ operation, argument: 'bins', expected, received: String(count) });
  }
  const { samples, classes } = checkPrediction(operation, prediction);
  checkAnswers(operation, 'labels', labels, samples, classes);
  const answers = argMax(prediction);
  const width = 1 / count;
  const sums = Array.from({ length: count }, () => ({ count: 0, confidence: 0, hits: 0 }));
  for (let sample = 0; sample < samples; sample++) {
    const confidence = prediction.data[sample * classes + answers[sample]!]!;
    checkProbability(operation, confidence, sample);
    const bin = sums[binOf(confidence, count, width)]!;
    bin.count += 1;
    bin.confidence += confidence;
    if (answers[sample] === labels[sample]) bin.hits += 1;
  }
  const bins = sums.map((bin, i) => ({
    from: i * width,
    to: i + 1 === count ? 1 : (i + 1) * width,
    count: bin.count,
    confidence: bin.confidence / bin.count,
    accuracy: bin.hits / bin.count,
  }));
  const filled = bins.filter((bin) => bin.count > 0);
  const gap = ({ accuracy, confidence }: CalibrationBin) => Math.abs(accuracy - confidence);
  return {
    expectedError: filled.reduce((sum, bin) => sum + (bin.count / samples) * gap(bin), 0),
    maximumError: Math.max(0, ...filled.map(gap)),
    bins,
  };
}

/** The first bin whose upper edge is not below the confidence. */
function binOf(confidence: number, count: number, width: number): number {
  let bin = Math.min(count - 1, Math.floor(confidence * count));
  while (bin > 0 && confidence <= bin * width) bin--;
  while (bin < count - 1 && confidence > (bin + 1) * width) bin++;
  return bin;
}

/** Room for the rounding of a sum of f32 probabilities. */
const SLACK = 1e-5;

function checkProbability(operation: string, value: number, sample: number): void {
  if (value >= 0 && value <= 1 + SLACK) return;
  throw new DataError({
    operation,
    argument: `prediction of sample ${sample}`,
    expected: 'probabilities from 0 to 1',
    received: String(value),
    hint: 'end the model with a softmax',
  });
}
