/**
 * A user's own pictures as data sets: a folder with a folder of JPEG, PNG or WebP files for each class, or one with
 * such folders as `train`, and perhaps `validation` (or `val`) and `test`. What the latter leave open is set aside from
 * the training pictures, the same share of each class.
 */
import path from 'node:path';
import { ConfigError, DataError } from '../../errors.ts';
import { subset } from '../array-dataset.ts';
import type { Dataset, Normalization, Resize } from '../dataset.ts';
import { type ChannelSums, standardizationOf } from '../normalization.ts';
import { stratifiedSplit } from '../order.ts';
import { DEFAULT_MAX_PIXELS } from './decode.ts';
import { checkClassNames, foldersIn, scanFolder } from './folder-scan.ts';
import { imageFiles } from './image-files.ts';
import { type ReadingOptions, readAll, type Skipped } from './read-all.ts';
import { loadSharp } from './sharp.ts';

export interface ImageFolderOptions extends ReadingOptions {
  /** [height, width] that every picture is brought to. Default [256, 256], as in Keras. */
  readonly imageSize?: readonly [height: number, width: number];
  /** 3 (default) or 1: grey. */
  readonly channels?: 1 | 3;
  /** Default 'stretch', Keras'. */
  readonly resize?: Resize;
  /** The classes in the order of their indices. Default: the folders' names, sorted. */
  readonly classNames?: readonly string[];
  /** Share of each class that is set aside. Default 0.1. */
  readonly validationSplit?: number;
  /** Likewise. Default 0.1. */
  readonly testSplit?: number;
  /** Decides the split. Default 21. */
  readonly seed?: number;
  /** At most so many pictures for training, validation and test each. Default: all. */
  readonly limit?: number;
  /** Default: standardised by means and deviations of the training pictures, measured. */
  readonly normalization?: Normalization;
  /** Larger pictures are refused before they are decoded. Default 67,108,864. */
  readonly maxPixels?: number;
  /** Bytes of decoded pictures that are kept in memory. Default 1 GiB. */
  readonly cacheBytes?: number;
}

/** What `imageFolder.load` gives. */
export interface ImageFolder {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Paths of the pictures: file i is sample i of the data set of the same name. */
  readonly files: Readonly<Record<'train' | 'validation' | 'test', readonly string[]>>;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** Pictures that were left out, and why. */
  readonly skipped: readonly Skipped[];
  /** Files that were not looked at: their names end like no picture's. */
  readonly ignored: number;
}

/**
 * Reads every picture once: those that cannot be decoded are found, channel means are measured, and what fits into
 * `cacheBytes` is kept; the others are decoded again whenever they are needed. Throws DataError where there is nothing
 * to learn from, FileError for folders that cannot be read, ConfigError for options that make no sense and where sharp
 * is not installed.
 */
async function load(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { imageSize = [256, 256], channels = 3, resize = 'stretch', seed = 21, limit = Infinity } = options;
  const { validationSplit = 0.1, testSplit = 0.1, maxPixels = DEFAULT_MAX_PIXELS, cacheBytes } = options;
  checkOptions({ imageSize, limit, validationSplit, testSplit });
  await loadSharp();
  const { classNames, parts, ignored } = findParts(folder, options.classNames);
  const files = parts.flatMap((part) => part.files);
  const labels = Int32Array.from(parts.flatMap((part) => part.labels));
  const description = {
    inputShape: [...imageSize, channels] as const,
    labels,
    classNames,
    resize,
    maxPixels,
    ...(cacheBytes !== undefined && { cacheBytes }),
  };
  const raw = imageFiles(files, description);
  const { sums, skipped } = await readAll(raw, files, options);
  const readable = partsOf(parts, sums);
  checkEnough(folder, classNames, readable[0]!, labels);

  const [training, givenValidation, givenTest] = readable as [number[], number[], number[]];
  const split = stratifiedSplit(training, labels, classNames.length, seed, {
    test: parts[2]!.given ? 0 : testSplit,
    validation: parts[1]!.given ? 0 : validationSplit,
  });
  const train = split.train.slice(0, limit);
  const validation = (parts[1]!.given ? givenValidation : split.validation).slice(0, limit);
  const test = (parts[2]!.given ? givenTest : split.test).slice(0, limit);
  const normalization = options.normalization ?? standardizationOf(train.map((index) => sums[index]!));
  const described: Dataset = { ...raw, normalization };
  const pathsOf = (indices: readonly number[]) => indices.map((index) => files[index]!);
  return {
    train: subset(described, train),
    validation: subset(described, validation),
    test: subset(described, test),
    files: { train: pathsOf(train), validation: pathsOf(validation), test: pathsOf(test) },
    classNames,
    normalization,
    skipped,
    ignored,
  };
}

/** Folders of pictures and their loader. */
export const imageFolder = { load } as const;

interface Part {
  readonly files: readonly string[];
  readonly labels: readonly number[];
  /** Whether there is a folder for it. */
  readonly given: boolean;
}

/** Training, validation and test, as the folders have them. */
function findParts(folder: string, wanted: readonly string[] | undefined) {
  const names = foldersIn(folder);
  const places = names.includes('train')
    ? ['train', names.includes('validation') ? 'validation' : 'val', 'test']
    : ['', undefined, undefined];
  const top = path.join(folder, places[0]!);
  if (wanted !== undefined) checkClassNames(top, wanted);
  const classNames = wanted ?? foldersIn(top);
  if (classNames.length < 2) {
    throw new DataError({
      operation: 'imageFolder',
      argument: top,
      expected: 'a folder for each of two classes or more',
      received: classNames.length === 0 ? 'no folder' : `one, ${classNames[0]}`,
      hint: 'put the pictures of each class into a folder of its name',
    });
  }
  let ignored = 0;
  const parts = places.map((place): Part => {
    if (place === undefined || (place !== '' && !names.includes(place)))
      return { files: [], labels: [], given: false };
    const scan = scanFolder(path.join(folder, place), classNames);
    ignored += scan.ignored;
    return { ...scan, given: true };
  });
  return { classNames, parts, ignored };
}

/** The readable pictures of each part, as indices into all files. */
function partsOf(parts: readonly Part[], sums: readonly (ChannelSums | undefined)[]): number[][] {
  let at = 0;
  return parts.map(({ files }) => {
    const indices = files.map(() => at++);
    return indices.filter((index) => sums[index] !== undefined);
  });
}

function checkEnough(
  folder: string,
  classNames: readonly string[],
  training: readonly number[],
  labels: Int32Array,
): void {
  const found = new Set(training.map((index) => labels[index]!));
  const empty = classNames.filter((_, label) => !found.has(label));
  if (empty.length === 0) return;
  throw new DataError({
    operation: 'imageFolder',
    argument: folder,
    expected: 'a readable JPEG, PNG or WebP file in each class',
    received: `none in ${empty.slice(0, 10).join(', ')}`,
  });
}

function checkOptions(options: {
  readonly imageSize: readonly number[];
  readonly limit: number;
  readonly validationSplit: number;
  readonly testSplit: number;
}): void {
  const { imageSize, limit, validationSplit, testSplit } = options;
  const refuse = (argument: string, expected: string, received: unknown): never => {
    throw new ConfigError({ operation: 'imageFolder', argument, expected, received: String(received) });
  };
  if (imageSize.length !== 2 || !imageSize.every((size) => Number.isInteger(size) && size > 0)) {
    refuse('imageSize', '[height, width] in pixels', JSON.stringify(imageSize));
  }
  if (limit !== Infinity && !(Number.isInteger(limit) && limit > 0))
    refuse('limit', 'a number of pictures', limit);
  const [validation, test] = [validationSplit, testSplit];
  if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
    refuse('validationSplit, testSplit', 'shares that leave something to train on', `${validation}, ${test}`);
  }
}
