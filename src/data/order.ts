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
 * so that the first n of either are a fair sample; with `shuffle` false they are the last ones, in order. Throws
 * ConfigError unless 0 <= fraction < 1.
 */
export function trainValidationSplit(size: number, fraction: number, seed: number, shuffle = true): Split {
  if (!(fraction >= 0 && fraction < 1)) {
    throw new ConfigError({
      operation: 'trainValidationSplit',
      argument: 'validationSplit',
      expected: 'a fraction from 0 up to, but not including, 1',
      received: String(fraction),
    });
  }
  const count = Math.round(size * fraction);
  if (!shuffle) {
    const all = Uint32Array.from({ length: size }, (_, i) => i);
    return { train: all.subarray(0, size - count), validation: all.subarray(size - count) };
  }
  const order = permutation(streamKey(seed, 'split'), size, 0);
  return { train: order.slice(count), validation: order.slice(0, count) };
}

/** What is held back of each class, as shares of it. */
export interface SplitShares {
  readonly validation: number;
  readonly test: number;
}

/**
 * Sets the same share of each class aside, of every class at least one sample left to train on: of n samples
 * round(n * share), chosen by `seed` and the class's index. `indices` are samples, `labels` the classes of all. Each
 * part is in random order.
 */
export function stratifiedSplit(
  indices: readonly number[],
  labels: ArrayLike<number>,
  classes: number,
  seed: number,
  shares: SplitShares,
): { readonly train: number[]; readonly validation: number[]; readonly test: number[] } {
  const key = streamKey(seed, 'split by class');
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  for (let label = 0; label < classes; label++) {
    const members = indices.filter((index) => labels[index] === label);
    const most = Math.max(0, members.length - 1);
    const test = Math.min(most, Math.round(members.length * shares.test));
    const held = Math.min(most, test + Math.round(members.length * shares.validation));
    permutation(key, members.length, label).forEach((at, i) => {
      const part = i < test ? parts.test : i < held ? parts.validation : parts.train;
      part.push(members[at]!);
    });
  }
  const mixed = (part: readonly number[], purpose: string) =>
    [...permutation(streamKey(seed, purpose), part.length, 0)].map((at) => part[at]!);
  return {
    train: mixed(parts.train, 'order of training'),
    validation: mixed(parts.validation, 'order of validation'),
    test: mixed(parts.test, 'order of test'),
  };
}
