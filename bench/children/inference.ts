/**
 * `node inference.ts REQUEST`: a network's predictions, as a user calls `predict`, on floats in memory; prints its
 * figures as one line of JSON.
 */
import { arrayDataset } from '../../src/index.ts';
import { drawnForInference, type NetworkName, networks } from '../networks.ts';
import { standardize } from '../standardize.ts';
import { median } from '../statistics.ts';
import { imagesFor } from './images.ts';

export interface InferenceRequest {
  readonly network: NetworkName;
  /** CIFAR-10's folder, or 'synthetic'. */
  readonly data: string;
  readonly batchSize: number;
  readonly threads: number;
  /** Of each of the two measurements. */
  readonly seconds: number;
  /** Whether calls with many batches are measured, too. */
  readonly stream: boolean;
}

export interface InferenceFigures {
  /** One batch a call, each awaited before the next: of the median call. */
  readonly imagesPerSecond: number;
  /** Many batches a call, one being prepared while another runs; null where that was not asked for. */
  readonly streamImagesPerSecond: number | null;
  readonly peakBytes: number;
}

/** Images of a call with many batches, at least. */
const STREAM = { images: 512, batches: 8 } as const;
/** Calls before those that are measured: so many of so many images, and for such a share of the seconds. */
const WARM_CALLS = 10;
const WARM_SHARE = 0.25;
const LEAST_CALLS = 10;
/** Calls of a large network take long, and the second is as fast as any. */
const FEW_CALLS = 3;

const request: InferenceRequest = JSON.parse(process.argv[2]!);
const { network, batchSize, threads } = request;
const { inputShape, classes } = networks[network];
const isLarge = inputShape[0] > 32;

/** Milliseconds of the median call. */
async function medianCall(run: () => Promise<unknown>): Promise<number> {
  const warmUntil = performance.now() + 1000 * WARM_SHARE * request.seconds;
  for (let i = 0; i < (isLarge ? FEW_CALLS : WARM_CALLS) || performance.now() < warmUntil; i++) await run();
  const times: number[] = [];
  const started = performance.now();
  while (
    times.length < (isLarge ? FEW_CALLS : LEAST_CALLS) ||
    performance.now() - started < 1000 * request.seconds
  ) {
    const before = performance.now();
    await run();
    times.push(performance.now() - before);
  }
  return median(times);
}

const count = request.stream ? Math.max(STREAM.images, STREAM.batches * batchSize) : batchSize;
const { pixels: bytes, labels } = await imagesFor(network, request.data, count);
const pixels = standardize(bytes);
const batch = pixels.subarray(0, (batchSize * pixels.length) / count);

const model = await drawnForInference(network);
const options = { batchSize, threads };
const call = await medianCall(() => model.predict(batch, options));
let run = Number.NaN;
if (request.stream) {
  const stream = arrayDataset({ inputs: pixels, inputShape, targets: labels, classes });
  run = await medianCall(() => model.predict(stream, options));
}
await model.close();
const figures: InferenceFigures = {
  imagesPerSecond: (1000 * batchSize) / call,
  streamImagesPerSecond: request.stream ? (1000 * count) / run : null,
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
