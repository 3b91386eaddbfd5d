/** `npm run train:cifar`: trains a network of the zoo on CIFAR-10 and fills a folder with what came of it. */
import { cifar10 } from '../src/index.ts';
import { runCommand } from './command.ts';
import { networkNamed } from './networks/networks.ts';
import { downloadLine } from './train-cifar/download-line.ts';
import {
  argumentsOf,
  type CifarOptions,
  COMMAND,
  HELP,
  parseOptions,
  readWords,
} from './train-cifar/options.ts';
import { listenToInterrupts } from './training/interrupt.ts';
import { resumedOptions } from './training/resume.ts';
import { engineOf, type Job, runTraining } from './training/run.ts';
import { makeRunFolder, readConfig } from './training/run-folder.ts';
import { beginWith, openStart, startFacts } from './training/start.ts';

const interrupt = listenToInterrupts((exitCode) => process.exit(exitCode));

/** The options of the command line, or of the run that it wants to go on. */
async function read(args: readonly string[]): Promise<CifarOptions> {
  const given = parseOptions(args);
  if (given.resume === undefined) return given;
  return resumedOptions(await readConfig(COMMAND, given.resume, parseOptions), given, readWords(args));
}

async function run(options: CifarOptions): Promise<number> {
  const { data: place, limit, seed, validationSplit } = options;
  const engine = engineOf(options);
  const start = await openStart(COMMAND, options, cifar10.inputShape);
  const normalization = start?.normalization ?? options.normalization;
  if (options.resume === undefined) await makeRunFolder(COMMAND, options.out);
  const data = await cifar10.load({
    data: place,
    limit,
    seed,
    normalization,
    validationSplit,
    fallback: 'synthetic',
    onProgress: downloadLine(),
  });
  if (data.message !== undefined) {
    process.stderr.write(`\n${'!'.repeat(72)}\n${data.message}\n${'!'.repeat(72)}\n\n`);
  }
  const network = start
    ? await beginWith(COMMAND, start, data.classNames, options)
    : {
        model: networkNamed(COMMAND, options.model)({ seed, numerics: options.numerics }),
        modelName: options.model,
      };
  const job: Job = {
    command: COMMAND,
    options,
    arguments: argumentsOf(options),
    ...network,
    data: {
      ...data,
      name: data.source === 'cifar10' ? 'CIFAR-10' : 'drawn images',
      description: data.source === 'cifar10' ? `CIFAR-10 from ${data.location}` : 'drawn images (synthetic)',
    },
    facts: { normalization, ...startFacts(options) },
  };
  return runTraining(job, engine, interrupt);
}

await runCommand({ help: HELP, read, run });
