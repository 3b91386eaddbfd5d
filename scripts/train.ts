/** `npm run train -- --data FOLDER`: trains a network on a user's own images, as train:cifar does on CIFAR-10. */
import path from 'node:path';
import { imageFolder } from '../src/index.ts';
import { EXIT, runCommand } from './command.ts';
import { makeNetwork } from './train/networks.ts';
import { argumentsOf, COMMAND, type FolderOptions, HELP, parseOptions, readWords } from './train/options.ts';
import { readingLine, skippedText } from './train/reading-line.ts';
import { listenToInterrupts } from './training/interrupt.ts';
import { resumedOptions } from './training/resume.ts';
import { engineOf, type Job, runTraining } from './training/run.ts';
import { makeRunFolder, readConfig } from './training/run-folder.ts';

const interrupt = listenToInterrupts(() => process.exit(EXIT.interrupted));

/** The options of the command line, or of the run that it wants to go on. */
async function read(args: readonly string[]): Promise<FolderOptions> {
  const given = parseOptions(args);
  if (given.resume === undefined) return given;
  return resumedOptions(await readConfig(COMMAND, given.resume, parseOptions), given, readWords(args));
}

async function run(options: FolderOptions): Promise<number> {
  const { data: folder, size, grey, resize, classes, limit, strict, maxPixels, seed, numerics } = options;
  const engine = engineOf(options);
  if (options.resume === undefined) await makeRunFolder(COMMAND, options.out);
  const channels = grey ? 1 : 3;
  const data = await imageFolder.load(folder, {
    imageSize: size,
    channels,
    resize,
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
  const shape = { inputShape: [...size, channels] as const, classes: data.classNames.length };
  const job: Job = {
    command: COMMAND,
    options,
    arguments: argumentsOf(options),
    model: makeNetwork(options.model, shape, { seed, numerics }),
    modelName: options.model,
    data: {
      ...data,
      name: path.basename(path.resolve(folder)),
      description: `${folder}: ${data.classNames.length} classes, images of ${size.join(' x ')} pixels`,
      source: folder,
    },
    facts: { classNames: data.classNames, size, resize, skipped: data.skipped, ignored: data.ignored },
  };
  return runTraining(job, engine, interrupt);
}

await runCommand({ help: HELP, read, run });
