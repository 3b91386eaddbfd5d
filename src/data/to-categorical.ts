/** One-hot encoding of class indices (Keras' `to_categorical`): labels [N] to [N, classes]. */
import { ConfigError } from '../errors.ts';
import { checkLabels } from './dataset.ts';

/**
 * Each class index as a row of zeros with a 1 at its place: 3 of 10 classes is [0, 0, 0, 1, 0, 0, 0, 0, 0, 0].
 * `classes`: default the largest index + 1. The rows serve as dense targets:
 *
 *     const { shape, data } = toCategorical(labels, 10);
 *     arrayDataset({ inputs, inputShape, targets: data, targetShape: [10] });
 *
 * They teach a model what the indices do, at `classes` floats a sample. Throws DataError for what is no class index,
 * ConfigError for a number of classes that is none.
 */
export function toCategorical(
  labels: ArrayLike<number>,
  classes?: number,
): { readonly shape: readonly [number, number]; readonly data: Float32Array } {
  const operation = 'toCategorical';
  const width = classes ?? largest(labels) + 1;
  if (!Number.isInteger(width) || width < (classes === undefined ? 0 : 1)) {
    const expected = 'a positive whole number';
    throw new ConfigError({ operation, argument: 'classes', expected, received: String(width) });
  }
  checkLabels(operation, labels, width);
  const data = new Float32Array(labels.length * width);
  for (let i = 0; i < labels.length; i++) data[i * width + labels[i]!] = 1;
  return { shape: [labels.length, width], data };
}

/** -1 of none. What is no class index is left to `checkLabels`. */
function largest(labels: ArrayLike<number>): number {
  let most = -1;
  for (let i = 0; i < labels.length; i++) if (Number.isInteger(labels[i])) most = Math.max(most, labels[i]!);
  return most;
}
