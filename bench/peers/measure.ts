/** Measures systems on a network, round by round: A B C, A B C, ..., each measurement in a process of its own. */
import { type NetworkName, networks } from '../networks.ts';
import { median } from '../statistics.ts';
import { CHECKED, type PeerRequest, type Task } from './peer.ts';
import type { PeerRow } from './report.ts';
import type { Answer, System } from './systems.ts';
import type { Workload } from './workload.ts';

export interface Measurement {
  readonly task: Task;
  readonly batchSize: number;
}

const of = (task: Task, ...sizes: readonly number[]): Measurement[] =>
  sizes.map((batchSize) => ({ task, batchSize }));

/** What is measured of each network. */
export const MEASUREMENTS: Readonly<Record<NetworkName, readonly Measurement[]>> = {
  cifarNotebook: [...of('training', 32, 128), ...of('inference', 1, 32, 128)],
  resNet20: of('training', 32, 128),
  vgg16: of('inference', 1, 8),
  resNet50: of('inference', 1, 8),
  denseNet121: of('inference', 1, 8),
};

const SECONDS = {
  quick: { warmSeconds: 0.3, seconds: 0.5 },
  full: { warmSeconds: 2, seconds: 6 },
} as const;

/**
 * How far probabilities may lie from Faltung's, in the largest of them: rounding in another order gives about 1e-5, a
 * parameter that is left out 1e-2.
 */
const TOLERANCE = 5e-4;

export interface Settings {
  readonly rounds: number;
  readonly threads: number;
  readonly quick: boolean;
  /** CIFAR-10's folder, or 'synthetic'. */
  readonly data: string;
  /** Says what is being measured. */
  readonly progress: (text: string) => void;
}

/** All measurements of the systems that can run the workload's network. */
export async function measureAll(
  settings: Settings,
  systems: readonly System[],
  workload: Workload,
): Promise<PeerRow[]> {
  const { network } = workload;
  const measurements = MEASUREMENTS[network];
  const able = systems.filter(
    (system) =>
      (system.networks?.includes(network) ?? true) &&
      measurements.some(({ task }) => system.tasks.includes(task)),
  );
  const rows = able.flatMap((system) => measurements.map((what) => startRow(network, system, what)));
  for (let round = 0; round < settings.rounds; round++) {
    for (const [m, what] of measurements.entries()) {
      for (const [s, system] of able.entries()) {
        const row = rows[s * measurements.length + m]!;
        if (row.failure !== undefined || (system.slow !== undefined && round > 0)) continue;
        const { title } = system;
        settings.progress(`${network}, round ${round + 1}: ${what.task}, batch ${what.batchSize}: ${title}`);
        const same = rows.find((other) => isSame(other, row) && other.rates.length > round);
        if (same !== undefined) copyFigures(same, row);
        else await measureRow(row, system, settings, workload);
      }
    }
  }
  return rows;
}

function startRow(network: NetworkName, system: System, { task, batchSize }: Measurement): PeerRow {
  const { name, title, group, slow, tasks } = system;
  return {
    network,
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
    optimizer: networks[workload.network].training,
    ...(system.slow === undefined
      ? SECONDS[settings.quick ? 'quick' : 'full']
      : { warmSeconds: 0, seconds: 0 }),
  };
  try {
    noteAnswer(row, await system.run(request, workload.network, settings.data), workload);
  } catch (error) {
    row.failure = error instanceof Error ? error.message : String(error);
  }
}

function noteAnswer(row: PeerRow, answer: Answer, { network, probabilities }: Workload): void {
  row.rates.push(answer.imagesPerSecond);
  row.imagesPerSecond = median(row.rates);
  row.peakBytes = answer.peakBytes - answer.imageBytes;
  row.version = answer.version;
  if (answer.probabilities === undefined) return;
  const differences = answer.probabilities.map((p, i) => Math.abs(p - probabilities[i]!));
  const isComplete = answer.probabilities.length === CHECKED * networks[network].classes;
  row.deviation = isComplete ? Math.max(...differences) : Number.POSITIVE_INFINITY;
  if (!(row.deviation <= TOLERANCE * Math.max(...probabilities)))
    row.failure = `another network: probabilities differ by ${row.deviation}`;
}
