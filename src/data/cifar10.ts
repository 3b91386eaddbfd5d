/**
 * CIFAR-10 ready for training: found on disk, downloaded, or, where that is impossible, replaced by drawn
 * images. Bytes [N, 32, 32, 3] in shared memory, ten classes; training and validation are parts of the
 * official training set, split by seed.
 */
import path from 'node:path';
import { ConfigError, DataError } from '../errors.ts';
import { arrayDataset, subset } from './array-dataset.ts';
import { fetchCifar10, type LoadProgress } from './cifar10-fetch.ts';
import { CIFAR10_CLASSES, CIFAR10_SHAPE, IMAGE_BYTES } from './cifar10-format.ts';
import { CIFAR10_FOLDER, type Cifar10Location, locateCifar10, userCache } from './cifar10-location.ts';
import { type Cifar10Images, readCifar10Archive, readCifar10Directory } from './cifar10-read.ts';
import type { Dataset, Normalization } from './dataset.ts';
import { measureStandardization } from './normalization.ts';
import { trainValidationSplit } from './order.ts';
import { blankSyntheticImages, SYNTHETIC_CLASSES } from './synthetic.ts';

export type { LoadProgress };

/** Options of `cifar10.load`. */
export interface Cifar10Options {
  /**
   * The folder with data_batch_1.bin and its like, its parent, or cifar-10-binary.tar.gz; 'synthetic' asks for
   * drawn images. Default: the variable CIFAR10_DIR, ./data/cifar-10-batches-bin, the user's cache, a download.
   */
  readonly data?: string | undefined;
  /** Fraction of the training images set aside. Default 0.1. */
  readonly validationSplit?: number | undefined;
  /** Decides the split (the drawn images are the same for every seed). Default 21. */
  readonly seed?: number | undefined;
  /** false: images stay in the files' order, and the last ones are set aside. Default true: both parts in random order. */
  readonly shuffle?: boolean | undefined;
  /** At most so many training, validation and test images each, the first after the split. Default: all. */
  readonly limit?: number | undefined;
  /**
   * 'standardize' (default): per-channel mean and standard deviation of the training images used;
   * 'notebook': the seed's, L2 over an image's rows.
   */
  readonly normalization?: 'standardize' | 'notebook' | Normalization | undefined;
  /**
   * What to do where nothing can be downloaded: 'synthetic': drawn images, `message` says so; 'error': throw
   * DataError. Default: drawn images, and a warning of the process.
   */
  readonly fallback?: 'synthetic' | 'error' | undefined;
  /** Sizes of the drawn set. Default 10000 and 2000. */
  readonly syntheticSizes?: { readonly train: number; readonly test: number } | undefined;
  /** Where downloads are kept. Default: $XDG_CACHE_HOME/faltung, else ~/.cache/faltung. */
  readonly cacheDirectory?: string | undefined;
  /** The archive's address. Default: the variable FALTUNG_CIFAR10_URL, else the official one. */
  readonly url?: string | undefined;
  /** The archive's MD5. Default: the variable FALTUNG_CIFAR10_MD5, else the official archive's. */
  readonly md5?: string | undefined;
  /** Without a first byte for so long there is no network. Default 10000. */
  readonly offlineTimeoutMs?: number | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** What `cifar10.load` gives. */
export interface Cifar10 {
  /** 'synthetic': these are NOT CIFAR-10's images. */
  readonly source: 'cifar10' | 'synthetic';
  readonly train: Dataset;
  /** Of size 0 where validationSplit is 0. */
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** The folder or archive that was read. */
  readonly location?: string;
  /** What the user must be told: why the images are not CIFAR-10's. */
  readonly message?: string;
}

interface Images extends Cifar10Images, Pick<Cifar10, 'source' | 'classNames' | 'location' | 'message'> {
  /** Draws these images, by their indices, and the first so many for the test; none where all were read. */
  readonly draw?: (training: readonly Uint32Array[], test: number) => void;
}

/** The drawn set is one set, as CIFAR-10 is: a run's seed does not change its images. */
const SYNTHETIC_SEED = 0;

/**
 * Loads CIFAR-10. Throws DataError for a named place without it, for damaged files (naming them), for a
 * download that broke off or has another MD5; ConfigError for options without sense.
 */
async function load(options: Cifar10Options = {}): Promise<Cifar10> {
  const { validationSplit = 0.1, seed = 21, limit = Number.POSITIVE_INFINITY } = options;
  // What makes no sense is refused before a long download.
  checkLimit(limit);
  checkNormalizationOption(options.normalization);
  trainValidationSplit(1, validationSplit, seed);
  const images = await obtain(options);
  const split = trainValidationSplit(images.training.labels.length, validationSplit, seed, options.shuffle);
  const train = split.train.subarray(0, limit);
  const validation = split.validation.subarray(0, limit);
  images.draw?.([train, validation], Math.min(limit, images.test.labels.length));
  const normalization = resolveNormalization(options.normalization, images.training.pixels, train);
  const { source, classNames, location, message } = images;
  const common = { inputShape: CIFAR10_SHAPE, classNames, normalization };
  const { training, test } = images;
  const whole = arrayDataset({ ...common, inputs: training.pixels, targets: training.labels });
  const testing = arrayDataset({ ...common, inputs: test.pixels, targets: test.labels });
  return {
    source,
    train: subset(whole, train),
    validation: subset(whole, validation),
    test: limit < testing.size ? subset(testing, limit) : testing,
    classNames,
    normalization,
    ...(location !== undefined && { location }),
    ...(message !== undefined && { message }),
  };
}

/** CIFAR-10 and its loader. */
export const cifar10 = { load, classNames: CIFAR10_CLASSES, inputShape: CIFAR10_SHAPE } as const;

async function obtain(options: Cifar10Options): Promise<Images> {
  if (options.data === 'synthetic') return drawn(options);
  const { data, cacheDirectory, onProgress } = options;
  const place = await locateCifar10({ data, cacheDirectory });
  if (place.kind !== 'nowhere') return readFrom(place, onProgress);
  const fetched = await fetchCifar10(options, path.join(cacheDirectory ?? userCache(), CIFAR10_FOLDER));
  if (fetched.kind === 'done') return readFrom({ kind: 'directory', path: fetched.directory }, onProgress);
  if (options.fallback === 'error') {
    throw new DataError({
      operation: 'cifar10',
      argument: fetched.url,
      expected: 'the archive',
      received: fetched.reason,
      hint: `${manualRemedy(fetched.url)}, or ask for data: 'synthetic'`,
    });
  }
  const message =
    `CIFAR-10 could not be downloaded from ${fetched.url}: ${fetched.reason}.\n` +
    'THESE ARE SYNTHETIC IMAGES INSTEAD: ten classes of drawn shapes. No accuracy here is one on CIFAR-10.\n' +
    `For the real data, ${manualRemedy(fetched.url)}.`;
  if (options.fallback === undefined) process.emitWarning(message, 'FaltungWarning');
  return drawn(options, message);
}

function manualRemedy(url: string): string {
  return `fetch ${url} by other means and name it, or its unpacked folder, as \`data\` (--data) or in CIFAR10_DIR`;
}

async function readFrom(
  place: Exclude<Cifar10Location, { kind: 'nowhere' }>,
  onProgress: Cifar10Options['onProgress'],
): Promise<Images> {
  onProgress?.({ stage: 'read', what: place.path });
  const read = place.kind === 'archive' ? readCifar10Archive : readCifar10Directory;
  const images = await read(place.path);
  return { ...images, source: 'cifar10', classNames: CIFAR10_CLASSES, location: place.path };
}

function drawn(options: Cifar10Options, message?: string): Images {
  const { train, test } = options.syntheticSizes ?? { train: 10_000, test: 2000 };
  const training = blankSyntheticImages({ size: train, seed: SYNTHETIC_SEED, split: 'train' });
  const testing = blankSyntheticImages({ size: test, seed: SYNTHETIC_SEED, split: 'test' });
  return {
    source: 'synthetic',
    training,
    test: testing,
    classNames: SYNTHETIC_CLASSES,
    ...(message !== undefined && { message }),
    draw(parts, tests) {
      const count = parts.reduce((sum, { length }) => sum + length, tests);
      options.onProgress?.({ stage: 'draw', what: `${count} synthetic images` });
      for (const part of parts) part.forEach(training.draw);
      for (let index = 0; index < tests; index++) testing.draw(index);
    },
  };
}

function resolveNormalization(
  option: Cifar10Options['normalization'],
  pixels: Uint8Array,
  train: Uint32Array,
): Normalization {
  if (option === 'notebook') return { kind: 'l2Rows' };
  if (typeof option === 'object') return option;
  return measureStandardization(pixels, IMAGE_BYTES, 3, train);
}

function checkNormalizationOption(option: Cifar10Options['normalization'] = 'standardize'): void {
  if (option === 'standardize' || option === 'notebook' || typeof option === 'object') return;
  throw new ConfigError({
    operation: 'cifar10',
    argument: 'normalization',
    expected: "'standardize', 'notebook' or a normalization such as { kind: 'scale' }",
    received: String(option),
  });
}

function checkLimit(limit: number): void {
  if (limit === Number.POSITIVE_INFINITY || (Number.isInteger(limit) && limit > 0)) return;
  throw new ConfigError({
    operation: 'cifar10',
    argument: 'limit',
    expected: 'a positive whole number of images',
    received: String(limit),
  });
}
