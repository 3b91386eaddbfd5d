/**
 * Which samples, in which order: pure functions of (seed, epoch, size), so that any run, on any number of
 * workers, and any resumed run sees the same samples in the same batches.
 */
import { ConfigError } from '../errors.ts';
import { permutation, streamKey } from '../math/random.ts';

/** The order of epoch `epoch` (from 0): a permutation of 0..size-1, a new one each epoch. */
export function epochOrder(seed: number, epoch: number, size: number): Uint32Array {
  return permutation(streamKey(seed, 'order'), size, epoch);
}

/** The indices of both parts of a data set; together each index of it once. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Sets round(size * fraction) samples aside for validation, chosen by `seed`. Both parts are in random order,
 * so that the first n of either are a fair sample. Throws ConfigError unless 0 <= fraction < 1.
 */
export function trainValidationSplit(size: number, fraction: number, seed: number): Split {
  if (!(fraction >= 0 && fraction < 1)) {
    throw new ConfigError({
      operation: 'trainValidationSplit',
      argument: 'validationSplit',
      expected: 'a fraction from 0 up to, but not including, 1',
      received: String(fraction),
    });
  }
  const order = permutation(streamKey(seed, 'split'), size, 0);
  const count = Math.round(size * fraction);
  return { train: order.slice(count), validation: order.slice(0, count) };
}
