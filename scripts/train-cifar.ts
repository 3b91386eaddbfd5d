/** `npm run train:cifar`: trains a network of the zoo on CIFAR-10 and writes result.json. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FaltungError } from '../src/errors.ts';
import {
  type Augmentation,
  adam,
  cifar10,
  createEngine,
  type EpochRecord,
  notebookAugmentation,
} from '../src/index.ts';
import { weightsSha256 } from '../src/io/weights-hash.ts';
import { networkNamed } from './networks/networks.ts';
import { downloadLine } from './train-cifar/download-line.ts';
import { HELP, parseOptions, type TrainOptions } from './train-cifar/options.ts';
import { createProgress } from './train-cifar/progress.ts';

const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

/** Trains and reports; returns the exit code. */
async function train(options: TrainOptions, signal: AbortSignal): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const { data: place, limit, seed, normalization } = options;
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  // What cannot work is refused before a download, not after 20 epochs.
  const engine = createEngine({ ...threads, engine: options.engine });
  await makeFolder(options.out);
  const data = await cifar10.load({ data: place, limit, seed, normalization, onProgress: downloadLine() });
  if (data.message !== undefined) {
    process.stderr.write(`\n${'!'.repeat(72)}\n${data.message}\n${'!'.repeat(72)}\n\n`);
  }
  const model = networkNamed('train:cifar', options.model)({ seed, numerics: options.numerics });
  const progress = createProgress();
  try {
    say(model.summary({ batchSize: options.batchSize, threads: engine.threads }));
    say('');
    say(
      `Data:   ${data.source === 'cifar10' ? `CIFAR-10 from ${data.location}` : 'drawn images (synthetic)'}`,
    );
    say(
      `        ${data.train.size} for training, ${data.validation.size} for validation, ${data.test.size} for the test`,
    );
    say(`Engine: ${options.engine}, ${count(engine.threads, 'thread')}, Node ${process.versions.node}`);
    say(
      `Recipe: Adam, ${count(options.epochs, 'epoch')}, batches of ${options.batchSize}, seed ${seed}, ${options.augment ? 'with' : 'without'} augmentation`,
    );
    say(`        normalization '${normalization}', numerics '${options.numerics}'`);
    say('');
    const augmentation: { augmentation?: Augmentation } = options.augment
      ? { augmentation: notebookAugmentation }
      : {};
    const history = await model.fit(data.train, {
      optimizer: adam(),
      loss: 'categoricalCrossentropy',
      epochs: options.epochs,
      batchSize: options.batchSize,
      ...(data.validation.size > 0 && { validation: data.validation }),
      ...augmentation,
      engine,
      signal,
      onStep: progress.step,
      onEpoch: progress.epoch,
    });
    progress.stop();
    if (history.end === 'aborted') {
      say(`Stopped after ${history.epochs.length} of ${options.epochs} epochs; nothing was written.`);
      return EXIT.interrupted;
    }
    const test = await model.evaluate(data.test, { engine });
    say(`\nTest - loss: ${test.loss.toFixed(4)} - accuracy: ${test.accuracy.toFixed(4)}`);
    const file = await writeResult(options, {
      model: options.model,
      parameters: model.parameterCount,
      data: data.source,
      engine: options.engine,
      threads: engine.threads,
      seed,
      numerics: options.numerics,
      normalization,
      augmentation: options.augment,
      batchSize: options.batchSize,
      node: process.versions.node,
      epochs: history.epochs,
      test,
      weightsSha256: weightsSha256(model),
    });
    say(`Written: ${file}`);
    return 0;
  } finally {
    progress.stop();
    await model.close();
    await engine.close();
  }
}

/** 1 epoch, 2 epochs. */
function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The fields of result.json. */
interface Result {
  readonly model: string;
  readonly parameters: number;
  readonly data: 'cifar10' | 'synthetic';
  readonly engine: 'simd' | 'scalar';
  readonly threads: number;
  readonly seed: number;
  readonly numerics: TrainOptions['numerics'];
  readonly normalization: TrainOptions['normalization'];
  readonly augmentation: boolean;
  readonly batchSize: number;
  readonly node: string;
  readonly epochs: readonly EpochRecord[];
  readonly test: { readonly loss: number; readonly accuracy: number };
  /** Over all parameters in order, little-endian f32. */
  readonly weightsSha256: string;
}

/** Throws ConfigError where the folder of --out cannot be made. */
async function makeFolder(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw new ConfigError({
      operation: 'train:cifar',
      argument: '--out',
      expected: 'a folder that can be written to',
      received: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Writes result.json whole or not at all. */
async function writeResult({ out }: TrainOptions, result: Result): Promise<string> {
  const file = path.join(out, 'result.json');
  await writeFile(`${file}.tmp`, `${JSON.stringify(result, null, 2)}\n`);
  await rename(`${file}.tmp`, file);
  return file;
}

/** Milliseconds that a step gets to finish after Ctrl-C. Loading and evaluating do not look at the signal. */
const PATIENCE_MS = 1500;

/** Ctrl-C ends the run after the step in hand, or as it is when that takes long; a second one at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const leave = () => process.exit(EXIT.interrupted);
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) leave();
      process.stderr.write('\nStopping after this step (again: at once) ...\n');
      setTimeout(leave, PATIENCE_MS).unref();
      controller.abort();
    });
  }
  return controller.signal;
}

async function main(): Promise<number> {
  let options: TrainOptions;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return EXIT.usage;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    return await train(options, interruptSignal());
  } catch (error) {
    const text =
      error instanceof FaltungError ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`\n${text}\n`);
    return EXIT.failed;
  }
}

process.exitCode = await main();
