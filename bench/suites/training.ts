/**
 * Training the notebook network through the public interface, each measurement in a process of its own: images a
 * second in a steady state for 1 to N threads, the time from the process' start to its first finished step, memory.
 */
import { runChild } from '../children/spawn.ts';
import type { TrainingFigures, TrainingRequest } from '../children/training.ts';
import { networks } from '../networks.ts';
import { median, scatter } from '../statistics.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent, times } from '../table.ts';

export interface TrainingRow {
  readonly batchSize: number;
  readonly threads: number;
  /** Median of the processes. */
  readonly imagesPerSecond: number;
  /** Half the distance from the slowest process to the fastest, over the median. */
  readonly scatter: number;
  /** To one thread. */
  readonly speedup: number;
  readonly firstStepSeconds: number;
  readonly dataSeconds: number;
  /** Bytes that the plan reserves: parameters, optimizer state, gradients, activations. */
  readonly plannedBytes: number;
  /** Largest resident set of the process less the images. */
  readonly peakBytes: number;
  readonly heapBytesPerStep: number;
  readonly retainedBytesPerStep: number;
}

const BATCHES = [32, 128] as const;
/** Seconds of a process before its measured steps, and in them. */
const SECONDS = {
  quick: { warmSeconds: 0.5, seconds: 1 },
  full: { warmSeconds: 3, seconds: 8 },
} as const;
/** Images in memory: more than the caches hold. */
const IMAGES = 2560;

async function run(context: Context): Promise<TrainingRow[]> {
  const { settings, repeats, progress } = context;
  const cases = BATCHES.flatMap((batchSize) =>
    Array.from({ length: settings.threads }, (_, i) => ({ batchSize, threads: i + 1 })),
  );
  const steady = cases.map((): TrainingFigures[] => []);
  const starts = cases.map((): TrainingFigures[] => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [i, { batchSize, threads }] of cases.entries()) {
      progress(`batch ${batchSize}, ${threads} threads, process ${repeat + 1} of ${repeats}`);
      const request = {
        network: 'cifarNotebook',
        data: settings.data,
        batchSize,
        threads,
        augment: true,
      } as const;
      const first = { ...request, images: 2 * batchSize, warmSeconds: 0, seconds: 0 };
      starts[i]!.push(await runTraining(first));
      const seconds = SECONDS[settings.quick ? 'quick' : 'full'];
      steady[i]!.push(await runTraining({ ...request, images: IMAGES, ...seconds }));
    }
  }
  const rate = (i: number) => median(steady[i]!.map(({ imagesPerSecond }) => imagesPerSecond));
  return cases.map(({ batchSize, threads }, i) => {
    const of = (name: keyof TrainingFigures) => median(steady[i]!.map((figures) => figures[name]));
    const single = cases.findIndex((other) => other.batchSize === batchSize && other.threads === 1);
    return {
      batchSize,
      threads,
      imagesPerSecond: rate(i),
      scatter: scatter(steady[i]!.map(({ imagesPerSecond }) => imagesPerSecond)),
      speedup: rate(i) / rate(single),
      firstStepSeconds: median(starts[i]!.map(({ firstStepSeconds }) => firstStepSeconds)),
      dataSeconds: median(starts[i]!.map(({ dataSeconds }) => dataSeconds)),
      plannedBytes: networks.cifarNotebook.make().memory({ batchSize, threads }).totalBytes,
      peakBytes: of('peakBytes') - of('imageBytes'),
      heapBytesPerStep: of('heapBytesPerStep'),
      retainedBytesPerStep: of('retainedBytesPerStep'),
    };
  });
}

function runTraining(request: TrainingRequest): Promise<TrainingFigures> {
  return runChild<TrainingFigures>('training.ts', request);
}

function format(rows: readonly TrainingRow[]): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  return formatTable<TrainingRow>(
    [
      { title: 'batch', text: ({ batchSize }) => String(batchSize) },
      { title: 'threads', text: ({ threads }) => String(threads) },
      { title: 'images/s', text: ({ imagesPerSecond }) => digits(imagesPerSecond) },
      { title: '+-', text: (row) => percent(row.scatter, 1) },
      { title: 'to 1 thread', text: ({ speedup }) => times(speedup) },
      { title: 'start to first step, s', text: ({ firstStepSeconds }) => firstStepSeconds.toFixed(2) },
      { title: 'of it data, s', text: ({ dataSeconds }) => dataSeconds.toFixed(2) },
      { title: 'planned MB', text: (row) => megabytes(row.plannedBytes) },
      { title: 'peak MB', text: ({ peakBytes }) => megabytes(peakBytes) },
      { title: 'heap kB/step', text: (row) => (row.heapBytesPerStep / 1000).toFixed(1) },
    ],
    rows,
  );
}

export const training: Suite<readonly TrainingRow[]> = {
  name: 'training',
  title: 'Training the notebook network with augmentation (whole processes)',
  run,
  format,
};
