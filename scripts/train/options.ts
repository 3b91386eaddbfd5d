/** The command line of train: its options, their defaults and checks. */
import { ConfigError } from '../../src/errors.ts';
import { choice, decimal, flag, readArguments, text, wholeNumber } from '../arguments.ts';
import { TRAINING_HELP } from '../training/help.ts';
import {
  type Arguments,
  given,
  TRAINING_OPTIONS,
  type TrainingOptions,
  trainingArguments,
  trainingOptions,
} from '../training/options.ts';
import { checkResume } from '../training/resume.ts';
import { NETWORKS } from './networks.ts';

export const COMMAND = 'train';

const OPTIONS = {
  data: text,
  size: text,
  grey: flag,
  resize: text,
  classes: text,
  'test-split': text,
  limit: text,
  strict: flag,
  'max-pixels': text,
  'cache-mb': text,
  model: text,
  ...TRAINING_OPTIONS,
} as const;

/** What the command was asked to do. */
export interface FolderOptions extends TrainingOptions {
  readonly data: string;
  /** [height, width] in pixels. This, `grey`, `resize` and `model`: unless there is `from`, which decides them. */
  readonly size: readonly [number, number];
  readonly grey: boolean;
  readonly resize: 'stretch' | 'crop' | 'pad';
  /** Names of folders, in the order of the classes; undefined: all, sorted. */
  readonly classes: readonly string[] | undefined;
  readonly testSplit: number;
  readonly limit: number | undefined;
  readonly strict: boolean;
  readonly maxPixels: number | undefined;
  /** Mebibytes of decoded images that are kept in memory. */
  readonly cacheMb: number;
  readonly model: (typeof NETWORKS)[number];
}

export const HELP = `Trains a network on images of your own.

  npm run train -- --data FOLDER [options]

Data and network
  --data FOLDER        a folder with a folder of JPEG, PNG or WebP files for each class, or one with such folders as
                       'train', and perhaps 'validation' (or 'val') and 'test'; sizes may differ, and there may be
                       more images than fit into memory
  --size N or HxW      pixels that every image is brought to; default 64
  --resize X           'stretch' (default), 'crop' the middle, or 'pad' with black, where proportions differ
  --grey               one channel in the place of three
  --classes A,B,C      folders to take, in the order of the classes; default: all, sorted by name
  --test-split X       share of each class that is held back for the test; default 0.1
  --limit N            at most N images each for training, validation and test
  --strict             an image that cannot be read fails the run; else it is listed and left out
  --max-pixels N       larger images are refused before they are decoded; default 67108864 (8192 x 8192)
  --cache-mb N         mebibytes of decoded images that are kept in memory; default 1024
  --model NAME         ${NETWORKS.slice(0, 3).join(', ')},
                       ${NETWORKS.slice(3).join(', ')}; default smallConvNet

${TRAINING_HELP}`;

/** The words of a command line, by option. Throws ConfigError. */
export function readWords(args: readonly string[]) {
  return readArguments(COMMAND, args, OPTIONS);
}

/** Reads the arguments after the script's name. Throws ConfigError that names the option. */
export function parseOptions(args: readonly string[], now: Date = new Date()): FolderOptions {
  const values = readWords(args);
  checkResume(COMMAND, values);
  if (values.data === undefined && values.resume === undefined) {
    refuse('--data', 'a folder with a folder of images for each class', 'none');
  }
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
  const classes = values.classes?.split(',').map((name) => name.trim());
  if (classes?.some((name) => name === ''))
    refuse('--classes', 'names with commas between them', values.classes);
  return {
    data: values.data ?? '',
    size: sizeOf(values.size ?? '64'),
    grey: values.grey === true,
    resize: choice(COMMAND, 'resize', values.resize, ['stretch', 'crop', 'pad']) ?? 'stretch',
    classes,
    testSplit: decimal(COMMAND, 'test-split', values['test-split'], { least: 0, below: 1 }) ?? 0.1,
    limit: wholeNumber(COMMAND, 'limit', values.limit, 1),
    strict: values.strict === true,
    maxPixels: wholeNumber(COMMAND, 'max-pixels', values['max-pixels'], 1),
    cacheMb: wholeNumber(COMMAND, 'cache-mb', values['cache-mb'], 0) ?? 1024,
    model: choice(COMMAND, 'model', values.model, NETWORKS) ?? 'smallConvNet',
    ...trainingOptions(COMMAND, values, `runs/${stamp}-train`),
  };
}

/** What decides the run, by the options' names: what config.json stores and `parseOptions` reads. */
export function argumentsOf(options: FolderOptions): Arguments {
  const { data, size, grey, resize, classes, testSplit, limit, strict, maxPixels, cacheMb, model } = options;
  const network = options.from === undefined ? { size: size.join('x'), grey, resize, model } : {};
  const own = {
    data,
    ...network,
    classes: classes?.join(','),
    'test-split': testSplit,
    limit,
    strict,
    'max-pixels': maxPixels,
    'cache-mb': cacheMb,
  };
  return { ...given(own), ...trainingArguments(options) };
}

/** The most pixels a side that make sense; what fits is told by the memory plan. */
const MOST_PIXELS = 4096;

function sizeOf(value: string): [number, number] {
  const [, height = '', width = height] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(value) ?? [];
  const size: [number, number] = [Number(height), Number(width)];
  if (height !== '' && size.every((side) => side >= 1 && side <= MOST_PIXELS)) return size;
  return refuse('--size', `pixels from 1 to ${MOST_PIXELS}, such as 64 or 48x64`, value);
}

function refuse(argument: string, expected: string, received: string | undefined): never {
  throw new ConfigError({
    operation: COMMAND,
    argument,
    expected,
    received: received === 'none' ? received : JSON.stringify(received),
  });
}
