/**
 * `node bench/peers/run.ts`: Faltung and its peers on the notebook network, in turn (A B C, A B C, ...), each in a
 * process of its own; medians and ratios.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type ParseArgsConfig, parseArgs, styleText } from 'node:util';
import { ConfigError, FaltungError } from '../../src/errors.ts';
import { CLASSES } from '../children/images.ts';
import { describeEnvironment, formatEnvironment } from '../environment.ts';
import { progressLine } from '../progress.ts';
import { wholeNumber } from '../settings.ts';
import { median } from '../statistics.ts';
import { CHECKED, type PeerRequest, type Task } from './peer.ts';
import { formatRates, formatRatios, type PeerRow } from './report.ts';
import { type Answer, findPython, listSystems, type System } from './systems.ts';
import { createWorkload, type Workload } from './workload.ts';

const HELP = `Compares Faltung with other systems on the notebook network.

  node bench/peers/run.ts [options]        (once before: npm ci --ignore-scripts in bench/peers)

  --rounds N            each measurement so many times, the systems in turn; default 3
  --threads N           default: all processors
  --only NAME[,NAME]    only these systems: faltung, torch-channels-last, torch-contiguous, torch-plain,
                        onnxruntime-node, onnxruntime-web, tfjs-wasm, tfjs-cpu, convnetjs
  --data DIR            CIFAR-10's folder (default: drawn images)
  --python PROGRAM      a Python with PyTorch (default: the first of python3, /usr/bin/python3 that has it)
  --json FILE           writes all figures there (bench/README.md says what the fields mean)
  --quick               short runs: to see that everything works, not to quote
`;

interface Measurement {
  readonly task: Task;
  readonly batchSize: number;
}

const MEASUREMENTS: readonly Measurement[] = [
  { task: 'training', batchSize: 32 },
  { task: 'training', batchSize: 128 },
  { task: 'inference', batchSize: 1 },
  { task: 'inference', batchSize: 32 },
  { task: 'inference', batchSize: 128 },
];

const SECONDS = {
  quick: { warmSeconds: 0.3, seconds: 0.5 },
  full: { warmSeconds: 2, seconds: 6 },
} as const;

/** How far probabilities may lie from Faltung's: rounding in another order gives about 1e-6. */
const TOLERANCE = 1e-4;

function readSettings() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
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
    rounds: wholeNumber('rounds', values.rounds, 1) ?? 3,
    threads: wholeNumber('threads', values.threads, 1) ?? availableParallelism(),
    data: values.data ?? 'synthetic',
    only: values.only?.split(','),
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

/** All measurements of all systems, round by round. */
async function measureAll(settings: Settings, systems: readonly System[], workload: Workload) {
  const line = progressLine();
  const rows = systems.flatMap((system) => MEASUREMENTS.map((what) => startRow(system, what)));
  for (let round = 0; round < settings.rounds; round++) {
    for (const what of MEASUREMENTS) {
      for (const [s, system] of systems.entries()) {
        const row = rows[s * MEASUREMENTS.length + MEASUREMENTS.indexOf(what)]!;
        if (row.failure !== undefined || (system.slow !== undefined && round > 0)) continue;
        line.show(`round ${round + 1}: ${what.task}, batch ${what.batchSize}: ${system.title}`);
        const same = rows.find((other) => isSame(other, row) && other.rates.length > round);
        if (same !== undefined) copyFigures(same, row);
        else await measureRow(row, system, settings, workload);
      }
    }
  }
  line.clear();
  return rows;
}

function startRow({ name, title, group, slow, tasks }: System, { task, batchSize }: Measurement): PeerRow {
  return {
    system: name,
    title,
    group,
    task,
    batchSize,
    measuredBatchSize: Math.min(batchSize, slow?.[task] ?? batchSize),
    rates: [],
    imagesPerSecond: Number.NaN,
    peakBytes: Number.NaN,
    version: undefined,
    deviation: undefined,
    failure: tasks.includes(task) ? undefined : 'does not train',
  };
}

/** A slow system's batches of 32 and of 128 are both measured on the same small one. */
function isSame(other: PeerRow, row: PeerRow): boolean {
  return (
    other !== row &&
    other.system === row.system &&
    other.task === row.task &&
    other.measuredBatchSize === row.measuredBatchSize
  );
}

function copyFigures(from: PeerRow, to: PeerRow): void {
  const { imagesPerSecond, peakBytes, version, deviation, failure } = from;
  to.rates.push(...from.rates.slice(to.rates.length));
  Object.assign(to, { imagesPerSecond, peakBytes, version, deviation, failure });
}

async function measureRow(row: PeerRow, system: System, settings: Settings, workload: Workload) {
  const request: PeerRequest = {
    task: row.task,
    batchSize: row.measuredBatchSize,
    threads: settings.threads,
    variant: '',
    folder: workload.folder,
    ...(system.slow === undefined
      ? SECONDS[settings.quick ? 'quick' : 'full']
      : { warmSeconds: 0, seconds: 0 }),
  };
  try {
    const answer = await system.run(request, settings.data);
    noteAnswer(row, answer, workload);
  } catch (error) {
    row.failure = error instanceof Error ? error.message : String(error);
  }
}

function noteAnswer(row: PeerRow, answer: Answer, workload: Workload): void {
  row.rates.push(answer.imagesPerSecond);
  row.imagesPerSecond = median(row.rates);
  row.peakBytes = answer.peakBytes - answer.imageBytes;
  row.version = answer.version;
  if (answer.probabilities === undefined) return;
  const differences = answer.probabilities.map((p, i) => Math.abs(p - workload.probabilities[i]!));
  const isComplete = answer.probabilities.length === CHECKED * CLASSES;
  row.deviation = isComplete ? Math.max(...differences) : Number.POSITIVE_INFINITY;
  if (!(row.deviation <= TOLERANCE))
    row.failure = `another network: probabilities differ by ${row.deviation}`;
}

async function main(): Promise<void> {
  const settings = readSettings();
  if (settings.help) {
    process.stdout.write(HELP);
    return;
  }
  const systems = chosenSystems(settings);
  const environment = describeEnvironment();
  process.stdout.write(`${formatEnvironment(environment)}\n`);
  const workload = await createWorkload(settings.data);
  process.once('SIGINT', () => {
    workload.remove();
    process.exit(130);
  });
  try {
    const rows = await measureAll(settings, systems, workload);
    const { rounds, threads, quick = false } = settings;
    const heading = `${threads} threads, median of ${rounds} rounds, ${workload.source === 'cifar10' ? 'CIFAR-10' : 'drawn images'}`;
    process.stdout.write(`\n${styleText('bold', `Images a second (${heading})`)}\n\n${formatRates(rows)}\n`);
    if (rows.some(({ system }) => system === 'faltung')) {
      process.stdout.write(`\n${styleText('bold', 'Faltung against each')}\n\n${formatRatios(rows)}\n`);
    }
    if (settings.json === undefined) return;
    const file = {
      format: 'faltung-bench-peers',
      version: 1,
      environment,
      settings: { rounds, threads, quick, data: workload.source },
      rows,
    };
    writeFileSync(settings.json, `${JSON.stringify(file, null, 2)}\n`);
  } finally {
    workload.remove();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FaltungError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
