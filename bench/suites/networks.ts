/**
 * Larger networks through the public interface, each measurement in a process of its own: predictions at 224x224, one
 * image and eight a call, and the training of ResNet-20, for 1 to N threads.
 */

import { summaryRows } from '../../src/model/summary.ts';
import type { InferenceFigures, InferenceRequest } from '../children/inference.ts';
import { runChild } from '../children/spawn.ts';
import type { TrainingFigures, TrainingRequest } from '../children/training.ts';
import { networks as known, type NetworkName } from '../networks.ts';
import { median, scatter } from '../statistics.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent, times } from '../table.ts';

export interface NetworkRow {
  readonly network: NetworkName;
  readonly task: 'training' | 'inference';
  readonly batchSize: number;
  readonly threads: number;
  /** Of the median step or call; median of the processes. */
  readonly imagesPerSecond: number;
  readonly millisecondsPerImage: number;
  /** Half the distance from the slowest process to the fastest, over the median. */
  readonly scatter: number;
  /** To one thread. */
  readonly speedup: number;
  /** Multiply-adds counted as two, convolutions as direct ones; a training step as three forward passes. */
  readonly gflops: number;
  /** Largest resident set of the process. */
  readonly peakBytes: number;
}

type Case = Pick<NetworkRow, 'network' | 'task' | 'batchSize'>;

const CASES: readonly Case[] = [
  ...(['vgg16', 'resNet50', 'denseNet121'] as const).flatMap((network) =>
    [1, 8].map((batchSize): Case => ({ network, task: 'inference', batchSize })),
  ),
  ...[32, 128].map((batchSize): Case => ({ network: 'resNet20', task: 'training', batchSize })),
];
/** Seconds of a process in its measured calls or steps, and of training before them. */
const SECONDS = {
  quick: { warmSeconds: 0.2, seconds: 0.5 },
  full: { warmSeconds: 2, seconds: 5 },
} as const;
const TRAINING_IMAGES = 2560;

async function run({ settings, repeats, progress }: Context): Promise<NetworkRow[]> {
  const cases = CASES.flatMap((what) =>
    Array.from({ length: settings.threads }, (_, i) => ({ ...what, threads: i + 1 })),
  );
  const figures = cases.map((): (TrainingFigures | InferenceFigures)[] => []);
  const seconds = SECONDS[settings.quick ? 'quick' : 'full'];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [i, { network, task, batchSize, threads }] of cases.entries()) {
      progress(`${network}, batch ${batchSize}, ${threads} threads, process ${repeat + 1} of ${repeats}`);
      const common = { network, data: settings.data, batchSize, threads, ...seconds };
      const inference: InferenceRequest = { ...common, stream: false };
      const training: TrainingRequest = { ...common, images: TRAINING_IMAGES, augment: true };
      figures[i]!.push(
        task === 'training'
          ? await runChild<TrainingFigures>('training.ts', training)
          : await runChild<InferenceFigures>('inference.ts', inference),
      );
    }
  }
  const rates = figures.map((all) => all.map(({ imagesPerSecond }) => imagesPerSecond));
  return cases.map((what, i) => {
    const single = i - what.threads + 1;
    const imagesPerSecond = median(rates[i]!);
    return {
      ...what,
      imagesPerSecond,
      millisecondsPerImage: 1000 / imagesPerSecond,
      scatter: scatter(rates[i]!),
      speedup: imagesPerSecond / median(rates[single]!),
      gflops: (imagesPerSecond * flopsOfImage(what)) / 1e9,
      peakBytes: median(figures[i]!.map(({ peakBytes }) => peakBytes)),
    };
  });
}

function flopsOfImage({ network, task }: Case): number {
  const rows = summaryRows(known[network].make().graph);
  const forward = 2 * rows.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  return task === 'training' ? 3 * forward : forward;
}

function format(rows: readonly NetworkRow[]): string {
  return formatTable<NetworkRow>(
    [
      { title: 'network', text: ({ network }) => network, align: 'left' },
      { title: 'task', text: ({ task }) => task, align: 'left' },
      { title: 'batch', text: ({ batchSize }) => String(batchSize) },
      { title: 'threads', text: ({ threads }) => String(threads) },
      { title: 'images/s', text: ({ imagesPerSecond }) => digits(imagesPerSecond) },
      { title: 'ms an image', text: ({ millisecondsPerImage }) => digits(millisecondsPerImage) },
      { title: '+-', text: (row) => percent(row.scatter, 1) },
      { title: 'to 1 thread', text: ({ speedup }) => times(speedup) },
      { title: 'GFLOP/s', text: ({ gflops }) => digits(gflops) },
      { title: 'peak MB', text: ({ peakBytes }) => (peakBytes / 1e6).toFixed(0) },
    ],
    rows,
  );
}

export const networks: Suite<readonly NetworkRow[]> = {
  name: 'networks',
  title:
    'Larger networks: predictions at 224x224, normalisations folded, and training of ResNet-20 (whole processes)',
  run,
  format,
};
