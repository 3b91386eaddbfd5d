/** The command line of train:cifar: its options, their defaults and checks. */
import { ConfigError } from '../../src/errors.ts';
import { choice, flag, readArguments, text, wholeNumber } from '../arguments.ts';

const COMMAND = 'train:cifar';

const OPTIONS = {
  model: text,
  data: text,
  epochs: text,
  'batch-size': text,
  threads: text,
  seed: text,
  limit: text,
  'no-augment': flag,
  normalization: text,
  numerics: text,
  engine: text,
  out: text,
  'checkpoint-every': text,
  resume: text,
  help: flag,
} as const;

/** Networks for images of CIFAR-10's size. */
const MODELS = [
  'cifarNotebook',
  'cifarInception',
  'resNet20',
  'resNet56',
  'denseNet40',
  'denseNetBC100',
] as const;

/** What the command was asked to do. */
export interface TrainOptions {
  readonly model: (typeof MODELS)[number];
  readonly data: string | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly threads: number | undefined;
  readonly seed: number;
  readonly limit: number | undefined;
  readonly augment: boolean;
  readonly normalization: 'standardize' | 'notebook';
  readonly numerics: 'direct' | 'accurate' | 'fast';
  readonly engine: 'simd' | 'scalar';
  readonly out: string;
  /** Steps between two checkpoints; undefined: after epochs only. */
  readonly checkpointEvery: number | undefined;
  /** The folder of a run to go on with. */
  readonly resume: string | undefined;
  readonly help: boolean;
}

export const HELP = `Trains a network on CIFAR-10.

  npm run train:cifar -- [options]

  --model NAME         'cifarNotebook' (default), 'cifarInception', 'resNet20', 'resNet56', 'denseNet40' or
                       'denseNetBC100'
  --data DIR           folder with data_batch_1.bin and its like, or 'synthetic' for drawn images
                       (default: CIFAR10_DIR, data/, the cache of earlier downloads, a download)
  --epochs N           default 20
  --batch-size N       default 32
  --threads N          workers; default: all processors (the weights do not depend on it)
  --seed N             weights, split, order, augmentation, dropout; default 21
  --limit N            at most N training images, and N validation and N test images
  --no-augment         without shifts, zoom, rotation and flips
  --normalization X    'standardize' (default) or 'notebook' (L2 over the rows of an image)
  --numerics X         'fast' (default): Winograd convolutions; 'accurate' or 'direct': slower, other weights
  --engine X           'simd' (default) or 'scalar': plain TypeScript, slow, the same weights
  --out DIR            the run's folder: config.json, checkpoints, model.safetensors, result.json;
                       default runs/<date>-cifar
  --checkpoint-every N saves after every N steps, besides after every epoch
  --resume RUN         goes on with the run in this folder; takes --epochs, --threads, --engine and
                       --checkpoint-every besides, all else is the run's
  --help               this text
`;

/** Reads the arguments after the script's name. Throws ConfigError that names the option. */
export function parseOptions(args: readonly string[], now: Date = new Date()): TrainOptions {
  const values = readArguments(COMMAND, args, OPTIONS);
  if (values.resume !== undefined) checkResume(values.resume, Object.keys(values));
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
  return {
    model: choice(COMMAND, 'model', values.model, MODELS) ?? 'cifarNotebook',
    data: values.data,
    epochs: wholeNumber(COMMAND, 'epochs', values.epochs, 1) ?? 20,
    batchSize: wholeNumber(COMMAND, 'batch-size', values['batch-size'], 1) ?? 32,
    threads: wholeNumber(COMMAND, 'threads', values.threads, 1),
    seed: wholeNumber(COMMAND, 'seed', values.seed, 0) ?? 21,
    limit: wholeNumber(COMMAND, 'limit', values.limit, 1),
    augment: !values['no-augment'],
    normalization:
      choice(COMMAND, 'normalization', values.normalization, ['standardize', 'notebook']) ?? 'standardize',
    numerics: choice(COMMAND, 'numerics', values.numerics, ['direct', 'accurate', 'fast']) ?? 'fast',
    engine: choice(COMMAND, 'engine', values.engine, ['simd', 'scalar']) ?? 'simd',
    out: values.out ?? values.resume ?? `runs/${stamp}-cifar`,
    checkpointEvery: wholeNumber(COMMAND, 'checkpoint-every', values['checkpoint-every'], 1),
    resume: values.resume,
    help: values.help ?? false,
  };
}

/** What decides the run, by the options' names: what config.json stores and `parseOptions` reads. */
export function argumentsOf(options: TrainOptions): Record<string, string | number | boolean> {
  const { data, limit, checkpointEvery } = options;
  return {
    model: options.model,
    ...(data !== undefined && { data }),
    epochs: options.epochs,
    'batch-size': options.batchSize,
    seed: options.seed,
    ...(limit !== undefined && { limit }),
    ...(!options.augment && { 'no-augment': true }),
    normalization: options.normalization,
    numerics: options.numerics,
    ...(checkpointEvery !== undefined && { 'checkpoint-every': checkpointEvery }),
  };
}

/** The options of a run that goes on: its own, and what of `given` may change. */
export function resumedOptions(
  run: TrainOptions,
  given: TrainOptions,
  args: readonly string[],
): TrainOptions {
  const values = readArguments(COMMAND, args, OPTIONS);
  return {
    ...run,
    epochs: values.epochs === undefined ? run.epochs : given.epochs,
    threads: given.threads,
    engine: given.engine,
    checkpointEvery: given.checkpointEvery ?? run.checkpointEvery,
    resume: given.resume,
  };
}

/** Options that `--resume` may be given with. */
const WITH_RESUME = ['resume', 'epochs', 'threads', 'engine', 'checkpoint-every', 'help'];

function checkResume(resume: string, names: readonly string[]): void {
  const other = names.find((name) => !WITH_RESUME.includes(name));
  if (other === undefined && resume !== '') return;
  throw new ConfigError({
    operation: COMMAND,
    argument: '--resume',
    expected: resume === '' ? "a run's folder" : 'only options that leave the run the same beside it',
    received: resume === '' ? 'none' : `--${other}`,
  });
}
