/**
 * `node --expose-gc training.ts REQUEST`: trains the notebook network for some steps and prints its figures as one
 * line of JSON. The pixel pipeline is the real one: bytes in memory, standardised and augmented by the workers.
 */
import { getHeapStatistics } from 'node:v8';
import { adam, cifarNotebook, notebookAugmentation, sequential } from '../../src/index.ts';
import { median, totalIncrease } from '../statistics.ts';
import { loadImages } from './images.ts';
import { clock } from './spawn.ts';

export interface TrainingRequest {
  /** CIFAR-10's folder, or 'synthetic'. */
  readonly data: string;
  readonly images: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly augment: boolean;
  /** Steps before those that are measured; they are measured too where there are no others. */
  readonly warmSteps: number;
  readonly steps: number;
}

export interface TrainingFigures {
  /** Of the median step. */
  readonly imagesPerSecond: number;
  /** From the parent's spawning to the end of the first step. */
  readonly firstStepSeconds: number;
  /** Of those, reading or drawing the images. */
  readonly dataSeconds: number;
  /** Largest resident set of the process, its threads included, and the images' part of it. */
  readonly peakBytes: number;
  readonly imageBytes: number;
  /** What a step allocates on the main thread's heap, and what remains of it after a collection. */
  readonly heapBytesPerStep: number;
  readonly retainedBytesPerStep: number;
}

const request: TrainingRequest & { readonly spawnedAt: number } = JSON.parse(process.argv[2]!);
const { batchSize, threads, augment, warmSteps, steps } = request;
const collect = globalThis.gc ?? (() => {});

const started = clock();
const data = await loadImages(request.data, request.images);
const dataSeconds = (clock() - started) / 1000;

const ends = new Float64Array(warmSteps + steps);
const heaps = new Float64Array(warmSteps + steps);
const stop = new AbortController();
let done = 0;
let retainedBefore = 0;
let firstStepSeconds = 0;

function onStep(): void {
  if (done === 0) firstStepSeconds = (clock() - request.spawnedAt) / 1000;
  if (done === ends.length) return;
  if (done === Math.max(0, warmSteps - 1)) {
    collect();
    retainedBefore = getHeapStatistics().used_heap_size;
  }
  heaps[done] = getHeapStatistics().used_heap_size;
  ends[done] = performance.now();
  done += 1;
  if (done === ends.length) stop.abort();
}

const model = sequential({ inputShape: [32, 32, 3], seed: 21 }, cifarNotebook());
const stepsPerEpoch = Math.ceil(data.train.size / batchSize);
await model.fit(data.train, {
  optimizer: adam(),
  batchSize,
  threads,
  epochs: Math.ceil((ends.length + 1) / stepsPerEpoch),
  ...(augment && { augmentation: notebookAugmentation }),
  signal: stop.signal,
  onStep,
});
await model.close();
collect();
const retained = getHeapStatistics().used_heap_size - retainedBefore;
const from = Math.max(0, warmSteps - 1);
const durations = Array.from(ends.subarray(from + 1), (end, i) => end - ends[from + i]!);
const counted = Math.max(1, durations.length);
const figures: TrainingFigures = {
  imagesPerSecond: (1000 * batchSize) / median(durations),
  firstStepSeconds,
  dataSeconds,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  imageBytes: (data.train.size + data.test.size) * 32 * 32 * 3,
  heapBytesPerStep: totalIncrease(Array.from(heaps.subarray(from))) / counted,
  retainedBytesPerStep: retained / counted,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
