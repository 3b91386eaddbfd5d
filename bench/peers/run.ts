/** `node bench/peers/run.ts`: Faltung and its peers on the same networks; medians and ratios. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type ParseArgsConfig, parseArgs, styleText } from 'node:util';
import { ConfigError, FaltungError } from '../../src/errors.ts';
import { describeEnvironment, formatEnvironment } from '../environment.ts';
import { isNetwork, type NetworkName } from '../networks.ts';
import { progressLine } from '../progress.ts';
import { wholeNumber } from '../settings.ts';
import { MEASUREMENTS, measureAll } from './measure.ts';
import { formatRates, formatRatios, type PeerRow } from './report.ts';
import { findPython, listSystems, type System } from './systems.ts';
import { createWorkload, type Workload } from './workload.ts';

const HELP = `Compares Faltung with other systems on the notebook network, and on larger ones.

  node bench/peers/run.ts [options]        (once before: npm ci --ignore-scripts in bench/peers)

  --networks A[,B]      of cifarNotebook (default), vgg16, resNet50, denseNet121 (inference at 224x224, batch 1 and 8),
                        resNet20 (training)
  --rounds N            each measurement so many times, the systems in turn; default 3
  --threads N           default: all processors
  --only NAME[,NAME]    only these systems: faltung, torch-channels-last, torch-contiguous, torch-frozen,
                        torch-plain, onnxruntime-node, onnxruntime-web, tfjs-wasm, tfjs-cpu, convnetjs
  --data DIR            CIFAR-10's folder (default: drawn images)
  --python PROGRAM      a Python with PyTorch (default: the first of python3, /usr/bin/python3 that has it)
  --json FILE           writes all figures there (bench/README.md says what the fields mean)
  --quick               short runs: to see that everything works, not to quote
`;

function readSettings() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    networks: text,
    rounds: text,
    threads: text,
    only: text,
    data: text,
    python: text,
    json: text,
    quick: flag,
    help: flag,
  };
  const values = readArguments(options);
  return {
    ...values,
    networks: chosenNetworks(values.networks ?? 'cifarNotebook'),
    rounds: wholeNumber('rounds', values.rounds, 1) ?? 3,
    threads: wholeNumber('threads', values.threads, 1) ?? availableParallelism(),
    data: values.data ?? 'synthetic',
    only: values.only?.split(','),
    quick: values.quick ?? false,
  };
}

function readArguments<O extends NonNullable<ParseArgsConfig['options']>>(options: O) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new ConfigError({
      operation: 'peers',
      argument: 'options',
      expected: 'what --help lists',
      received: error instanceof Error ? error.message : String(error),
    });
  }
}

function chosenNetworks(text: string): NetworkName[] {
  const names = text.split(',');
  const unknown = names.find((name) => !isNetwork(name));
  if (unknown === undefined) return names.filter(isNetwork);
  throw new ConfigError({
    operation: 'peers',
    argument: '--networks',
    expected: `some of ${Object.keys(MEASUREMENTS).join(', ')}`,
    received: unknown,
  });
}

type Settings = ReturnType<typeof readSettings>;

function chosenSystems({ only, python }: Settings): System[] {
  const systems = listSystems(findPython(python));
  if (only === undefined) return systems;
  const unknown = only.find((name) => !systems.some((system) => system.name === name));
  if (unknown === undefined) return systems.filter(({ name }) => only.includes(name));
  throw new ConfigError({
    operation: 'peers',
    argument: '--only',
    expected: `some of ${systems.map(({ name }) => name).join(', ')}`,
    received: unknown,
    hint: 'PyTorch is there only where a Python has it',
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const settings = readSettings();
  if (settings.help) {
    process.stdout.write(HELP);
    return;
  }
  const systems = chosenSystems(settings);
  const environment = describeEnvironment();
  say(formatEnvironment(environment));
  const { rounds, threads, quick, data } = settings;
  const line = progressLine();
  const all: PeerRow[] = [];
  let workload: Workload | undefined;
  process.once('SIGINT', () => {
    workload?.remove();
    process.exit(130);
  });
  for (const network of settings.networks) {
    line.show(`${network}: writing its files`);
    const tasks = MEASUREMENTS[network].map(({ task }) => task);
    workload = await createWorkload(network, tasks, data);
    const { source } = workload;
    try {
      const rows = await measureAll({ ...settings, progress: line.show }, systems, workload);
      line.clear();
      all.push(...rows);
      const heading = `${network}, ${threads} threads, median of ${rounds} rounds, ${source === 'cifar10' ? 'CIFAR-10' : 'drawn images'}`;
      say(`\n${styleText('bold', `Images a second (${heading})`)}\n\n${formatRates(rows)}`);
      if (rows.some(({ system }) => system === 'faltung')) {
        say(`\n${styleText('bold', 'Faltung against each')}\n\n${formatRatios(rows)}`);
      }
    } finally {
      workload.remove();
    }
    if (settings.json === undefined) continue;
    const file = {
      format: 'faltung-bench-peers',
      version: 1,
      environment,
      settings: { rounds, threads, quick, data: source },
      rows: all,
    };
    writeFileSync(settings.json, `${JSON.stringify(file, null, 2)}\n`);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FaltungError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
