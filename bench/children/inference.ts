/**
 * `node inference.ts REQUEST`: the notebook network's predictions, as a user calls `predict`, on floats in memory;
 * prints its figures as one line of JSON.
 */
import { arrayDataset, cifarNotebook, sequential } from '../../src/index.ts';
import { median } from '../statistics.ts';
import { CLASSES, IMAGE_SHAPE, loadImages, standardize } from './images.ts';

export interface InferenceRequest {
  /** CIFAR-10's folder, or 'synthetic'. */
  readonly data: string;
  readonly batchSize: number;
  readonly threads: number;
  /** Of each of the two measurements. */
  readonly seconds: number;
}

export interface InferenceFigures {
  /** One batch a call, each awaited before the next: of the median call. */
  readonly imagesPerSecond: number;
  /** Many batches a call, one being prepared while another runs. */
  readonly streamImagesPerSecond: number;
  readonly peakBytes: number;
}

/** Images of a call with many batches, at least. */
const STREAM = { images: 512, batches: 8 } as const;
const PIXELS = 32 * 32 * 3;
/** Calls before those that are measured: so many, and for such a share of the seconds. */
const WARM_CALLS = 10;
const WARM_SHARE = 0.25;
const LEAST_CALLS = 10;

const request: InferenceRequest = JSON.parse(process.argv[2]!);
const { batchSize, threads } = request;

/** Milliseconds of the median call. */
async function medianCall(run: () => Promise<unknown>): Promise<number> {
  const warmUntil = performance.now() + 1000 * WARM_SHARE * request.seconds;
  for (let i = 0; i < WARM_CALLS || performance.now() < warmUntil; i++) await run();
  const times: number[] = [];
  const started = performance.now();
  while (times.length < LEAST_CALLS || performance.now() - started < 1000 * request.seconds) {
    const before = performance.now();
    await run();
    times.push(performance.now() - before);
  }
  return median(times);
}

const count = Math.max(STREAM.images, STREAM.batches * batchSize);
const { pixels: bytes, labels } = await loadImages(request.data, count);
const pixels = standardize(bytes);
const stream = arrayDataset({ inputs: pixels, inputShape: IMAGE_SHAPE, targets: labels, classes: CLASSES });
const batch = pixels.subarray(0, batchSize * PIXELS);

const model = sequential({ inputShape: IMAGE_SHAPE, seed: 21 }, cifarNotebook());
const options = { batchSize, threads };
const call = await medianCall(() => model.predict(batch, options));
const run = await medianCall(() => model.predict(stream, options));
await model.close();
const figures: InferenceFigures = {
  imagesPerSecond: (1000 * batchSize) / call,
  streamImagesPerSecond: (1000 * count) / run,
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
