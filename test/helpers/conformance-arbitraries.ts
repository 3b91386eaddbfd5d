/** Random configurations of each layer: all of its options, on small inputs. */
import fc from 'fast-check';
import { winogradFits } from '../../src/kernels/winograd-geometry.ts';
import {
  activation,
  averagePooling2d,
  batchNormalization,
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
import type { ConvGeometry } from '../../src/tensor/convolution.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { convCases, SEED } from './arbitraries.ts';
import { type Configuration, checkConformance } from './conformance.ts';
import { poolCases } from './pool-cases.ts';

/** Configurations tried of each layer. */
const CONFIGURATIONS = 200;

/** Tries a layer on random configurations. */
export function checkRandomConfigurations(subject: fc.Arbitrary<Configuration>): void {
  fc.assert(fc.property(subject, checkConformance), { numRuns: CONFIGURATIONS, seed: SEED });
}

const seeds = fc.nat(2 ** 31 - 100);

function configurations<T>(
  options: fc.Arbitrary<T>,
  make: (options: T) => { readonly layer: Layer; readonly inputShape: Shape },
): fc.Arbitrary<Configuration> {
  return fc.tuple(options, seeds).map(([drawn, seed]) => {
    const { layer, inputShape } = make(drawn);
    const print = () => `${layer.type} ${JSON.stringify({ config: layer.config, inputShape, seed })}`;
    return { layer, inputShape, seed, [fc.toStringMethod]: print };
  });
}

const FUNCTIONS = [
  'linear',
  'relu',
  'leakyRelu',
  'elu',
  'softplus',
  'gelu',
  'geluTanh',
  'sigmoid',
  'tanh',
  'softmax',
] as const;

/** Options of layers with weights: mostly linear or with ReLU, as the kernels fuse them. */
const weightOptions = fc.record({
  activation: fc.oneof(
    fc.constant('linear' as const),
    fc.constant('relu' as const),
    fc.constantFrom(...FUNCTIONS),
  ),
  useBias: fc.boolean(),
});

/** [H, W, C]. */
const imageShapes: fc.Arbitrary<Shape> = fc.tuple(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 9 }),
);

/** [H, W, C] or [F]. */
const shapes: fc.Arbitrary<Shape> = fc.oneof(imageShapes, fc.tuple(fc.integer({ min: 1, max: 40 })));

/** Whether the convolution reads pixels at all outputs with this padding. */
function paddingOf(g: ConvGeometry, kind: 'same' | 'valid' | 'pixels') {
  const fits =
    g.dilationY * (g.kernelHeight - 1) < g.inHeight && g.dilationX * (g.kernelWidth - 1) < g.inWidth;
  if (kind === 'pixels' || (kind === 'valid' && !fits)) return g.padding;
  return kind;
}

const paddings = fc.constantFrom('same' as const, 'valid' as const, 'pixels' as const);
const convolutions = convCases({ size: 8, kernel: [1, 4], groups: 3, inChannels: 3, outChannels: 4 });

/** Winograd's algorithm takes some 3x3 kernels only, so they get their share. */
const fittingWinograd = convCases({
  size: 9,
  kernel: [3, 3],
  stride: 1,
  dilation: 1,
  groups: 1,
  inChannels: 6,
  outChannels: 6,
  padding: 2,
});
const algorithms = fc.constantFrom('auto', 'direct', 'winograd2', 'winograd4' as const);

export const conv2dConfigurations = configurations(
  fc.tuple(fc.oneof(convolutions, fittingWinograd), paddings, algorithms, weightOptions),
  ([{ geometry: g, flip }, padding, algorithm, weights]) => ({
    layer: conv2d({
      filters: g.outChannels,
      kernelSize: [g.kernelHeight, g.kernelWidth],
      strides: [g.strideY, g.strideX],
      dilationRate: [g.dilationY, g.dilationX],
      padding: paddingOf(g, padding),
      groups: g.groups,
      flip,
      // Asked for where it does not fit, Winograd's algorithm is refused.
      algorithm: winogradFits(g) ? algorithm : 'auto',
      ...weights,
    }),
    inputShape: [g.inHeight, g.inWidth, g.inChannels],
  }),
);

/** The adjoints of convolutions: those of whole windows, with the output padding that leads back to their input. */
export const conv2dTransposeConfigurations = configurations(
  fc.tuple(convolutions, fc.constantFrom('same' as const, 'pixels' as const), weightOptions),
  ([{ geometry: g }, padding, weights]) => {
    const rest = (size: number, kernel: number, dilation: number, pads: number, stride: number) =>
      (size + pads - dilation * (kernel - 1) - 1) % stride;
    const { top, right, bottom, left } = g.padding;
    const outputPadding = [
      rest(g.inHeight, g.kernelHeight, g.dilationY, top + bottom, g.strideY),
      rest(g.inWidth, g.kernelWidth, g.dilationX, left + right, g.strideX),
    ] as const;
    return {
      layer: conv2dTranspose({
        filters: g.inChannels,
        kernelSize: [g.kernelHeight, g.kernelWidth],
        strides: [g.strideY, g.strideX],
        dilationRate: [g.dilationY, g.dilationX],
        groups: g.groups,
        ...(padding === 'same' ? { padding } : { padding: g.padding, outputPadding }),
        ...weights,
      }),
      inputShape: [g.outHeight, g.outWidth, g.outChannels],
    };
  },
);

export const denseConfigurations = configurations(
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), weightOptions),
  ([features, units, weights]) => ({ layer: dense({ units, ...weights }), inputShape: [features] }),
);

const poolings = poolCases(9).filter(({ geometry: g }) => g.kernelHeight <= 4 && g.kernelWidth <= 4);

/** Options and input of a pooling. */
const poolOptions = fc.tuple(poolings, paddings).map(([{ geometry: g }, padding]) => ({
  options: {
    poolSize: [g.kernelHeight, g.kernelWidth] as const,
    strides: [g.strideY, g.strideX] as const,
    padding: paddingOf(g, padding),
  },
  inputShape: [g.inHeight, g.inWidth, g.inChannels],
}));

export const maxPoolingConfigurations = configurations(poolOptions, ({ options, inputShape }) => ({
  layer: maxPooling2d(options),
  inputShape,
}));

export const averagePoolingConfigurations = configurations(
  fc.tuple(poolOptions, fc.boolean()),
  ([{ options, inputShape }, countPadding]) => ({
    layer: averagePooling2d({ ...options, countPadding }),
    inputShape,
  }),
);

export const globalAveragePoolingConfigurations = configurations(imageShapes, (inputShape) => ({
  layer: globalAveragePooling2d(),
  inputShape,
}));

export const activationConfigurations = configurations(
  fc.tuple(fc.constantFrom(...FUNCTIONS), shapes, fc.option(fc.constantFrom(0, 0.2, 0.5, 1, 1.5))),
  ([name, inputShape, alpha]) => ({
    layer: activation({ function: name, ...(alpha !== null && { alpha }) }),
    inputShape,
  }),
);

export const batchNormalizationConfigurations = configurations(
  fc.tuple(
    shapes,
    fc.record({
      epsilon: fc.constantFrom(1e-5, 1e-3, 0.5),
      momentum: fc.constantFrom(0, 0.9, 0.99, 1),
      center: fc.boolean(),
      scale: fc.boolean(),
    }),
    fc.option(fc.integer({ min: 1, max: 6 })),
  ),
  ([inputShape, options, ghostBatchSize]) => ({
    layer: batchNormalization({ ...options, ...(ghostBatchSize !== null && { ghostBatchSize }) }),
    inputShape,
  }),
);

export const preluConfigurations = configurations(shapes, (inputShape) => ({ layer: prelu({}), inputShape }));

export const dropoutConfigurations = configurations(
  fc.tuple(shapes, fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9)),
  ([inputShape, rate]) => ({ layer: dropout({ rate }), inputShape }),
);

export const flattenConfigurations = configurations(shapes, (inputShape) => ({
  layer: flatten(),
  inputShape,
}));
