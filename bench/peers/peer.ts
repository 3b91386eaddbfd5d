/**
 * What runs a peer in a process of its own: what it is asked, the images and weights it gets, what it answers, and
 * how it times itself. All systems get the same images and the same weights, and do the same work a step.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { standardize } from '../standardize.ts';
import { median } from '../statistics.ts';
import type { Step } from './network-description.ts';

export type Task = 'training' | 'inference';

export interface PeerRequest {
  readonly task: Task;
  readonly batchSize: number;
  readonly threads: number;
  /** Which of a script's systems, where it has several. */
  readonly variant: string;
  /** Folder with the files that workload.ts writes. */
  readonly folder: string;
  /** For training; bench/networks.ts has the constants. */
  readonly optimizer: 'adam' | 'sgd';
  readonly warmSeconds: number;
  readonly seconds: number;
}

export interface PeerFigures {
  /** Of the median step or call. */
  readonly imagesPerSecond: number;
  /** The system's own. */
  readonly version: string;
  readonly peakBytes: number;
  /** Of the peak: the images as the system keeps them. */
  readonly imageBytes: number;
  /** Softmax of the first images [checked, classes], before any training: shows that the network is the same. */
  readonly probabilities: readonly number[];
}

/** The notebook network's images. */
export const SIDE = 32;
export const PIXELS = SIDE * SIDE * 3;
export const CLASSES = 10;
/** Images whose probabilities are compared with Faltung's, of the notebook network; `NetworkFile` has it for all. */
export const CHECKED = 4;

/** network.json: the network for systems that are given it as steps, its parameters' places in parameters.f32. */
export interface NetworkFile {
  /** [C, H, W]. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Images whose probabilities are compared with Faltung's. */
  readonly checked: number;
  readonly input: number;
  readonly output: number;
  readonly steps: readonly Step[];
  /** Offsets in bytes; f32, little-endian, row-major. */
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly offset: number;
  }[];
}

export function readNetworkFile(folder: string): NetworkFile {
  return JSON.parse(readFileSync(join(folder, 'network.json'), 'utf8')) as NetworkFile;
}

export function readRequest(): PeerRequest {
  return JSON.parse(process.argv[2]!) as PeerRequest;
}

/** The images, standardised, [N, H, W, C], and their labels. */
export function readImages(folder: string): { pixels: Float32Array; labels: Uint8Array } {
  const bytes = readFileSync(join(folder, 'images.u8'));
  const labels = new Uint8Array(readFileSync(join(folder, 'labels.u8')));
  return { pixels: standardize(bytes), labels };
}

/** A parameter of the network: convolutions HWIO, dense layers [in, out]. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All parameters in the order of the layers, weight before bias. */
export function readParameters(folder: string): Parameter[] {
  const list: { name: string; shape: number[] }[] = JSON.parse(
    readFileSync(join(folder, 'weights.json'), 'utf8'),
  );
  const bytes = readFileSync(join(folder, 'weights.f32'));
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let at = 0;
  return list.map(({ name, shape }) => {
    const length = shape.reduce((product, extent) => product * extent, 1);
    at += length;
    return { name, shape, data: all.slice(at - length, at) };
  });
}

/** A package that is installed in this folder; throws an Error that says how to install it. */
// biome-ignore lint/suspicious/noExplicitAny: the root has no types of packages that are installed here only.
export async function foreign(name: string): Promise<any> {
  try {
    return await import(name);
  } catch (cause) {
    throw new Error(`${name} is missing: run "npm ci --ignore-scripts" in bench/peers`, { cause });
  }
}

const LEAST_STEPS = 3;

/** Milliseconds of the median step. `step` gets the number of the step, for choosing images. */
export async function medianStep(
  { warmSeconds, seconds }: PeerRequest,
  step: (index: number) => unknown,
): Promise<number> {
  let index = 0;
  const until = performance.now() + 1000 * warmSeconds;
  do await step(index++);
  while (performance.now() < until);
  const times: number[] = [];
  const started = performance.now();
  while (times.length < LEAST_STEPS || performance.now() - started < 1000 * seconds) {
    const before = performance.now();
    await step(index++);
    times.push(performance.now() - before);
  }
  return median(times);
}

/** Prints the figures as the last line, and ends the process: some systems leave threads behind. */
export function report(figures: Omit<PeerFigures, 'peakBytes'>): void {
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(`${JSON.stringify({ ...figures, peakBytes })}\n`, () => process.exit(0));
}
