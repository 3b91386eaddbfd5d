/** A small data set and a small network for tests of training: 8x8 images of 3 channels, four classes. */
import { after } from 'node:test';
import {
  arrayDataset,
  conv2d,
  createEngine,
  type Dataset,
  dense,
  dropout,
  type Engine,
  type EngineOptions,
  flatten,
  type Layer,
  type Model,
  maxPooling2d,
  sequential,
} from '../../src/index.ts';
import { uniforms } from './arbitraries.ts';

export const CLASSES = 4;
export const IMAGE = [8, 8, 3] as const;
const PIXELS = 8 * 8 * 3;

/** Bytes: a bright quarter, whose place is the class, in noise. Fewer are the first of more. */
export function smallImages(size: number, seed = 1): { inputs: Uint8Array; targets: Int32Array } {
  const nextClass = uniforms(seed);
  const next = uniforms(seed + 1000);
  const targets = Int32Array.from({ length: size }, () => Math.floor(CLASSES * nextClass()));
  const inputs = Uint8Array.from({ length: size * PIXELS }, (_, i) => {
    const target = targets[Math.floor(i / PIXELS)]!;
    const [y, x] = [Math.floor((i % PIXELS) / 24), Math.floor((i % 24) / 3)];
    const inside = Math.floor(y / 4) * 2 + Math.floor(x / 4) === target;
    return Math.floor(128 * next()) + (inside ? 100 : 0);
  });
  return { inputs, targets };
}

/** The data set of `smallImages`, standardised. */
export function smallDataset(size: number, seed = 1): Dataset {
  const { inputs, targets } = smallImages(size, seed);
  const normalization = { kind: 'standardize', mean: [0.3, 0.35, 0.4], std: [0.2, 0.25, 0.2] } as const;
  return arrayDataset({ inputs, inputShape: IMAGE, targets, classes: CLASSES, normalization });
}

/** Two convolutions, dropout, two dense layers: every kind of parameter gradient and random number. */
export function smallLayers(): Layer[] {
  return [
    conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }),
    flatten(),
    dropout({ rate: 0.25 }),
    dense({ units: 7, activation: 'relu' }),
    dense({ units: CLASSES, activation: 'softmax' }),
  ];
}

export function smallModel(seed = 21): Model {
  return sequential({ inputShape: IMAGE, seed }, smallLayers());
}

/** All of a model's weights as one array, in order. */
export function allWeights(model: Model): Float32Array {
  return Float32Array.from(Object.values(model.getWeights()).flatMap(({ data }) => [...data]));
}

/** An engine that is closed after the file's tests. */
export function testEngine(options: EngineOptions): Engine {
  const engine = createEngine(options);
  after(() => engine.close());
  return engine;
}

const f = Math.fround;

/** The tree in which a step sums its shards' gradients, element by element. */
export function treeSum(parts: readonly Float32Array[]): Float32Array {
  const sums = parts.map((part) => part.slice());
  for (let stride = 1; stride < sums.length; stride *= 2) {
    for (let i = 0; i + stride < sums.length; i += 2 * stride) {
      sums[i] = sums[i]!.map((value, e) => f(value + sums[i + stride]![e]!));
    }
  }
  return sums[0]!;
}

/** The order in which a dense layer sums over the samples of a batch. */
export function runningSum(parts: readonly Float32Array[]): Float32Array {
  return parts.reduce((sum, part) => sum.map((value, e) => f(value + part[e]!)));
}
