/** Predictions of the notebook network for 1 to N threads, each measurement in a process of its own. */
import type { InferenceFigures, InferenceRequest } from '../children/inference.ts';
import { runChild } from '../children/spawn.ts';
import { median, scatter } from '../statistics.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent, times } from '../table.ts';

export interface InferenceRow {
  readonly batchSize: number;
  readonly threads: number;
  /** One batch a call of `predict`; median of the processes. */
  readonly imagesPerSecond: number;
  /** Half the distance from the slowest process to the fastest, over the median. */
  readonly scatter: number;
  /** To one thread. */
  readonly speedup: number;
  readonly callMilliseconds: number;
  /** Many batches a call. */
  readonly streamImagesPerSecond: number;
}

const BATCHES = [1, 32, 128] as const;
const SECONDS = { quick: 0.3, full: 2 } as const;

async function run({ settings, repeats, progress }: Context): Promise<InferenceRow[]> {
  const cases = BATCHES.flatMap((batchSize) =>
    Array.from({ length: settings.threads }, (_, i) => ({ batchSize, threads: i + 1 })),
  );
  const figures = cases.map((): InferenceFigures[] => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [i, { batchSize, threads }] of cases.entries()) {
      progress(`batch ${batchSize}, ${threads} threads, process ${repeat + 1} of ${repeats}`);
      const seconds = SECONDS[settings.quick ? 'quick' : 'full'];
      const common = { network: 'cifarNotebook', data: settings.data, stream: true } as const;
      const request: InferenceRequest = { ...common, batchSize, threads, seconds };
      figures[i]!.push(await runChild<InferenceFigures>('inference.ts', request));
    }
  }
  const rates = figures.map((all) => all.map(({ imagesPerSecond }) => imagesPerSecond));
  return cases.map(({ batchSize, threads }, i) => {
    const single = cases.findIndex((other) => other.batchSize === batchSize && other.threads === 1);
    const imagesPerSecond = median(rates[i]!);
    return {
      batchSize,
      threads,
      imagesPerSecond,
      scatter: scatter(rates[i]!),
      speedup: imagesPerSecond / median(rates[single]!),
      callMilliseconds: (1000 * batchSize) / imagesPerSecond,
      streamImagesPerSecond: median(figures[i]!.map((one) => one.streamImagesPerSecond!)),
    };
  });
}

function format(rows: readonly InferenceRow[]): string {
  return formatTable<InferenceRow>(
    [
      { title: 'batch', text: ({ batchSize }) => String(batchSize) },
      { title: 'threads', text: ({ threads }) => String(threads) },
      { title: 'images/s', text: ({ imagesPerSecond }) => digits(imagesPerSecond) },
      { title: '+-', text: (row) => percent(row.scatter, 1) },
      { title: 'to 1 thread', text: ({ speedup }) => times(speedup) },
      { title: 'ms a call', text: ({ callMilliseconds }) => digits(callMilliseconds) },
      { title: 'many batches a call, images/s', text: (row) => digits(row.streamImagesPerSecond) },
    ],
    rows,
  );
}

export const inference: Suite<readonly InferenceRow[]> = {
  name: 'inference',
  title: 'Predictions of the notebook network (whole processes)',
  run,
  format,
};
