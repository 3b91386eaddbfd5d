/** `npm run train:cifar`: trains a network of the zoo on CIFAR-10, saves it, and writes result.json. */
import path from 'node:path';
import { FaltungError, FileError, FormatError } from '../src/errors.ts';
import {
  type Augmentation,
  adam,
  type CheckpointOptions,
  cifar10,
  createEngine,
  type FitOptions,
  notebookAugmentation,
  type StepProgress,
} from '../src/index.ts';
import { weightsSha256 } from '../src/io/weights-hash.ts';
import { networkNamed } from './networks/networks.ts';
import { downloadLine } from './train-cifar/download-line.ts';
import { type Interrupt, listenToInterrupts } from './train-cifar/interrupt.ts';
import { HELP, parseOptions, resumedOptions, type TrainOptions } from './train-cifar/options.ts';
import { createProgress } from './train-cifar/progress.ts';
import {
  checkpointFolder,
  makeRunFolder,
  readConfig,
  writeConfig,
  writeResult,
} from './train-cifar/run-folder.ts';

const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

/** Trains and reports; returns the exit code. */
async function train(options: TrainOptions, interrupt: Interrupt): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const { data: place, limit, seed, normalization } = options;
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  // What cannot work is refused before a download, not after 20 epochs.
  const engine = createEngine({ ...threads, engine: options.engine });
  if (options.resume === undefined) await makeRunFolder(options);
  const data = await cifar10.load({
    data: place,
    limit,
    seed,
    normalization,
    fallback: 'synthetic',
    onProgress: downloadLine(),
  });
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
    await writeConfig(options);
    if (options.resume !== undefined) say(`Going on with the run in ${options.out}\n`);
    let last: StepProgress | undefined;
    const { checkpointEvery: everySteps } = options;
    const checkpoint: CheckpointOptions = {
      folder: checkpointFolder(options.out),
      ...(everySteps !== undefined && { everySteps }),
      resume: options.resume === undefined ? false : 'ifAny',
    };
    const fitOptions: FitOptions = {
      optimizer: adam(),
      loss: 'categoricalCrossentropy',
      epochs: options.epochs,
      batchSize: options.batchSize,
      ...(data.validation.size > 0 && { validation: data.validation }),
      ...augmentation,
      engine,
      checkpoint,
      signal: interrupt.signal,
      onStep(step) {
        last = step;
        progress.step(step);
      },
      onEpoch: progress.epoch,
    };
    const history = await interrupt.whileTraining(() => model.fit(data.train, fitOptions));
    progress.stop();
    if (history.end === 'aborted') {
      say(stoppedText(options, last));
      return EXIT.interrupted;
    }
    await model.save(path.join(options.out, 'model.safetensors'));
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

/** Says where a run that the user stopped is, and how it goes on. */
function stoppedText({ out, epochs }: TrainOptions, last: StepProgress | undefined): string {
  const where =
    last === undefined
      ? 'before the first step'
      : `in epoch ${last.epoch} of ${epochs}, after step ${last.step} of ${last.steps}`;
  return `Stopped ${where}. Saved; this goes on with it:\n\n  ${resumeCommand(out)}\n`;
}

function resumeCommand(out: string): string {
  const quoted = /^[\w./-]+$/.test(out) ? out : `'${out.replaceAll("'", "'\\''")}'`;
  return `npm run train:cifar -- --resume ${quoted}`;
}

/** The options of the command line, or of the run that it wants to go on. */
async function readOptions(args: readonly string[]): Promise<TrainOptions> {
  const given = parseOptions(args);
  if (given.resume === undefined || given.help) return given;
  return resumedOptions(await readConfig(given.resume), given, args);
}

async function main(): Promise<number> {
  let options: TrainOptions;
  const interrupt = listenToInterrupts(() => process.exit(EXIT.interrupted));
  try {
    options = await readOptions(process.argv.slice(2));
  } catch (error) {
    if (error instanceof FileError || error instanceof FormatError) {
      process.stderr.write(`\n${error.message}\n`);
      return EXIT.failed;
    }
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return EXIT.usage;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    return await train(options, interrupt);
  } catch (error) {
    const text =
      error instanceof FaltungError ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`\n${text}\n`);
    return EXIT.failed;
  }
}

process.exitCode = await main();
