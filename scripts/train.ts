/** `npm run train -- --data FOLDER`: trains a network on a user's own images, as train:cifar does on CIFAR-10. */
import path from 'node:path';
import { imageFolder } from '../src/index.ts';
import { runCommand } from './command.ts';
import { makeNetwork } from './train/networks.ts';
import { argumentsOf, COMMAND, type FolderOptions, HELP, parseOptions, readWords } from './train/options.ts';
import { readingLine, skippedText } from './train/reading-line.ts';
import { listenToInterrupts } from './training/interrupt.ts';
import { resumedOptions } from './training/resume.ts';
import { engineOf, type Job, runTraining } from './training/run.ts';
import { makeRunFolder, readConfig } from './training/run-folder.ts';
import { runSamples } from './training/run-samples.ts';
import { beginWith, openStart, startFacts } from './training/start.ts';

const interrupt = listenToInterrupts((exitCode) => process.exit(exitCode));

/** The options of the command line, or of the run that it wants to go on. */
async function read(args: readonly string[]): Promise<FolderOptions> {
  const given = parseOptions(args);
  if (given.resume === undefined) return given;
  return resumedOptions(await readConfig(COMMAND, given.resume, parseOptions), given, readWords(args));
}

async function run(options: FolderOptions): Promise<number> {
  const { data: folder, classes, limit, strict, maxPixels, seed, numerics } = options;
  const engine = engineOf(options);
  const start = await openStart(COMMAND, options);
  const inputShape = start?.inputShape ?? ([...options.size, options.grey ? 1 : 3] as const);
  const resize = start?.resize ?? options.resize;
  const [height, width, channels] = inputShape;
  if (options.resume === undefined) await makeRunFolder(COMMAND, options.out);
  const data = await imageFolder.load(folder, {
    imageSize: [height, width],
    channels,
    resize,
    ...(start?.normalization && { normalization: start.normalization }),
    ...(classes && { classNames: classes }),
    validationSplit: options.validationSplit,
    testSplit: options.testSplit,
    seed,
    ...(limit !== undefined && { limit }),
    strict,
    ...(maxPixels !== undefined && { maxPixels }),
    cacheBytes: options.cacheMb * 2 ** 20,
    onProgress: readingLine(),
  });
  process.stderr.write(skippedText(data.skipped));
  const { classNames } = data;
  const network = start
    ? await beginWith(COMMAND, start, classNames, options)
    : {
        model: makeNetwork(options.model, { inputShape, classes: classNames.length }, { seed, numerics }),
        modelName: options.model,
      };
  const job: Job = {
    command: COMMAND,
    options,
    arguments: argumentsOf(options),
    ...network,
    data: {
      ...data,
      name: path.basename(path.resolve(folder)),
      description: `${folder}: ${classNames.length} classes, images of ${height} x ${width} pixels`,
      source: folder,
    },
    samples: await runSamples(folder, data, resize),
    facts: {
      ...{ classNames, size: [height, width], resize, skipped: data.skipped, ignored: data.ignored },
      ...startFacts(options),
    },
  };
  return runTraining(job, engine, interrupt);
}

await runCommand({ help: HELP, read, run });
