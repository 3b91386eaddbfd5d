/** Random networks of a few layers: all kinds, each with a name of its own. */
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import {
  activation,
  averagePooling2d,
  conv2d,
  conv2dTranspose,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  maxPooling2d,
  prelu,
} from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import type { Shape } from '../../src/tensor/shape.ts';

export interface Network {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  readonly seed: number;
}

type Choice = (name: string, size: number) => Layer;

/** Layers of images, and of images or vectors; `size` is small and random. */
const IMAGE_LAYERS: readonly Choice[] = [
  (name, size) => conv2d({ name, filters: size, kernelSize: 3, padding: 'same', activation: 'relu' }),
  (name, size) => conv2d({ name, filters: size, kernelSize: [1, 2], strides: [2, 1], useBias: false }),
  (name, size) => conv2d({ name, filters: size, kernelSize: 3, padding: 'same', algorithm: 'winograd4' }),
  (name, size) => conv2d({ name, filters: size, kernelSize: 2, activation: 'softplus', flip: true }),
  (name, size) => conv2dTranspose({ name, filters: size, kernelSize: 3, strides: 2, padding: 'same' }),
  (name, size) => conv2dTranspose({ name, filters: size, kernelSize: 2, activation: 'tanh' }),
  (name, size) => maxPooling2d({ name, poolSize: 1 + (size % 3), strides: 2 }),
  (name) => averagePooling2d({ name, poolSize: 3, strides: 2, padding: 'same' }),
  (name) => globalAveragePooling2d({ name }),
];
const ANY_LAYERS: readonly Choice[] = [
  (name, size) => activation({ name, function: (['elu', 'gelu', 'sigmoid', 'softmax'] as const)[size % 4]! }),
  (name) => prelu({ name }),
  (name, size) => dropout({ name, rate: size / 10 }),
  (name) => flatten({ name }),
];
const VECTOR_LAYERS: readonly Choice[] = [
  (name, size) => dense({ name, units: 3 * size, activation: 'relu' }),
  (name, size) => dense({ name, units: size, activation: 'sigmoid', useBias: false }),
];

/** As many of the chosen layers as fit onto each other. */
function build(inputShape: Shape, choices: readonly { pick: number; size: number }[]): Layer[] {
  const layers: Layer[] = [];
  let shape = inputShape;
  for (const { pick, size } of choices) {
    const list = [...(shape.length === 3 ? IMAGE_LAYERS : VECTOR_LAYERS), ...ANY_LAYERS];
    const layer = list[pick % list.length]!(`layer${layers.length}`, size);
    try {
      const next = sequentialGraph(shape, [layer]).tensors.at(-1)!;
      if (next.reduce((product, extent) => product * extent, 1) > 400) continue;
      shape = next;
      layers.push(layer);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
  }
  return layers.length > 0 ? layers : [flatten()];
}

/** Networks of up to eight layers on small images. */
export const networks: fc.Arbitrary<Network> = fc
  .record({
    inputShape: fc.tuple(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 4 }),
    ),
    choices: fc.array(fc.record({ pick: fc.nat(1000), size: fc.integer({ min: 1, max: 6 }) }), {
      minLength: 1,
      maxLength: 8,
    }),
    seed: fc.nat(2 ** 31 - 1000),
  })
  .map(({ inputShape, choices, seed }) => {
    const layers = build(inputShape, choices);
    const print = () =>
      JSON.stringify({ inputShape, seed, layers: layers.map(({ type, config }) => ({ type, config })) });
    return { inputShape, layers, seed, [fc.toStringMethod]: print };
  });

/** The network with a classifier of three classes at its end. */
export function withClassifier({ inputShape, layers }: Network): Layer[] {
  const shape = sequentialGraph(inputShape, layers).tensors.at(-1)!;
  const top = dense({ name: 'top', units: 3, activation: 'softmax' });
  return shape.length === 1 ? [...layers, top] : [...layers, flatten({ name: 'flat' }), top];
}
