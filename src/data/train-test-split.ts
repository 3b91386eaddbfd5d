/** Sets samples of a data set aside (scikit-learn's `train_test_split`). */
import { ConfigError } from '../errors.ts';
import { subset } from './array-dataset.ts';
import { checkDataset, type Dataset } from './dataset.ts';
import { checkNamedDataset, isNamed, type NamedDataset } from './named-dataset.ts';
import { trainValidationSplit } from './order.ts';

export interface TrainTestSplitOptions {
  /** Below 1 a fraction of the samples, rounded to whole ones; from 1 on a number of samples. Default 0.25. */
  readonly testSize?: number;
  /** Which samples; default 0. Without `shuffle` it decides nothing. */
  readonly seed?: number;
  /** false: the last samples are set aside, and the order stays. Default true: both parts are in random order. */
  readonly shuffle?: boolean;
}

/**
 * Two parts of a data set, each sample in one of them; nothing is copied. With seed s and a fraction f they are those
 * of `cifar10.load({ seed: s, validationSplit: f })`. Of a `NamedDataset` both parts are such, too. Throws ConfigError
 * for a size that leaves nothing to train on.
 */
export function trainTestSplit(
  dataset: Dataset,
  options?: TrainTestSplitOptions,
): { readonly train: Dataset; readonly test: Dataset };
export function trainTestSplit(
  dataset: NamedDataset,
  options?: TrainTestSplitOptions,
): { readonly train: NamedDataset; readonly test: NamedDataset };
export function trainTestSplit(
  dataset: Dataset | NamedDataset,
  options: TrainTestSplitOptions = {},
): { readonly train: Dataset | NamedDataset; readonly test: Dataset | NamedDataset } {
  const operation = 'trainTestSplit';
  if (isNamed(dataset)) checkNamedDataset(operation, dataset);
  else checkDataset(operation, dataset);
  const { testSize = 0.25, seed = 0, shuffle = true } = options;
  const { size } = dataset;
  const count = testSize < 1 ? Math.round(testSize * size) : testSize;
  if (!(testSize >= 0) || !Number.isInteger(count) || (count >= size && size > 0)) {
    throw new ConfigError({
      operation,
      argument: 'testSize',
      expected: `a fraction below 1, or a whole number of samples below ${size}`,
      received: String(testSize),
    });
  }
  const { train, validation } = trainValidationSplit(size, size === 0 ? 0 : count / size, seed, shuffle);
  return { train: subset(dataset, train), test: subset(dataset, validation) };
}
