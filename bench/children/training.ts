/**
 * `node --expose-gc training.ts REQUEST`: trains a network for some steps and prints its figures as one line of
 * JSON. The pixel pipeline is the real one: bytes in memory, standardised and augmented by the workers.
 */
import { getHeapStatistics } from 'node:v8';
import { notebookAugmentation } from '../../src/index.ts';
import { type NetworkName, networks, optimizerOf } from '../networks.ts';
import { median, totalIncrease } from '../statistics.ts';
import { imageDataset, imagesFor } from './images.ts';
import { clock } from './spawn.ts';

export interface TrainingRequest {
  readonly network: NetworkName;
  /** CIFAR-10's folder, or 'synthetic'. */
  readonly data: string;
  readonly images: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly augment: boolean;
  /** Seconds of training before the steps that are measured. */
  readonly warmSeconds: number;
  /** Seconds of the steps that are measured, of which there are five at least; 0 ends it after the first step. */
  readonly seconds: number;
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

/** Steps that there is room to note; more are not measured. */
const MOST_STEPS = 100_000;
const LEAST_STEPS = 5;

const request: TrainingRequest & { readonly spawnedAt: number } = JSON.parse(process.argv[2]!);
const { network, batchSize, threads, augment } = request;
const collect = globalThis.gc ?? (() => {});

const started = clock();
const images = await imagesFor(network, request.data, request.images);
const dataSeconds = (clock() - started) / 1000;

const ends = new Float64Array(MOST_STEPS);
const heaps = new Float64Array(MOST_STEPS);
const stop = new AbortController();
let noted = 0;
let firstStep = 0;
let warmUntil = Number.POSITIVE_INFINITY;
let measureUntil = Number.POSITIVE_INFINITY;
let retainedBefore = 0;

/** Notes when each measured step ended and how much heap there was; allocates next to nothing itself. */
function onStep(): void {
  const now = performance.now();
  if (firstStep === 0) {
    firstStep = clock();
    warmUntil = now + 1000 * request.warmSeconds;
    if (request.seconds === 0) stop.abort();
  }
  if (now < warmUntil) return;
  if (noted === 0) {
    collect();
    retainedBefore = getHeapStatistics().used_heap_size;
    measureUntil = performance.now() + 1000 * request.seconds;
  }
  if (noted === MOST_STEPS) return;
  heaps[noted] = getHeapStatistics().used_heap_size;
  ends[noted] = performance.now();
  noted += 1;
  if (noted > LEAST_STEPS && now > measureUntil) stop.abort();
}

const model = networks[network].make();
await model.fit(imageDataset(network, images), {
  optimizer: optimizerOf(network),
  batchSize,
  threads,
  epochs: MOST_STEPS,
  ...(augment && { augmentation: notebookAugmentation }),
  signal: stop.signal,
  onStep,
});
await model.close();
collect();
const retained = getHeapStatistics().used_heap_size - retainedBefore;
const durations = Array.from(ends.subarray(1, noted), (end, i) => end - ends[i]!);
const counted = Math.max(1, durations.length);
const figures: TrainingFigures = {
  imagesPerSecond: (1000 * batchSize) / median(durations),
  firstStepSeconds: (firstStep - request.spawnedAt) / 1000,
  dataSeconds,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  imageBytes: images.pixels.length,
  heapBytesPerStep: totalIncrease(Array.from(heaps.subarray(0, noted))) / counted,
  retainedBytesPerStep: retained / counted,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
