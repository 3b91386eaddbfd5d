/** Random configurations of layers with weights. */
import fc from 'fast-check';
import { winogradFits } from '../../../src/kernels/winograd-geometry.ts';
import {
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  locallyConnected1d,
  locallyConnected2d,
  separableConv2d,
} from '../../../src/layers/index.ts';
import { convCases } from '../arbitraries.ts';
import { configurationsOf, weightOptions } from './draw.ts';
import { paddingOf, paddings } from './windows.ts';

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

export const conv2dConfigurations = configurationsOf(
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
export const conv2dTransposeConfigurations = configurationsOf(
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

export const denseConfigurations = configurationsOf(
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), weightOptions),
  ([features, units, weights]) => ({ layer: dense({ units, ...weights }), inputShape: [features] }),
);

/** Windows over images of few channels, for convolutions of each channel. */
const windowCases = fc
  .tuple(
    convCases({ size: 7, kernel: [1, 4], groups: 1, inChannels: 6, outChannels: 1 }),
    paddings,
    fc.integer({ min: 1, max: 3 }),
    weightOptions,
  )
  .map(([{ geometry: g }, padding, depthMultiplier, weights]) => ({
    options: {
      kernelSize: [g.kernelHeight, g.kernelWidth],
      strides: [g.strideY, g.strideX],
      dilationRate: [g.dilationY, g.dilationX],
      padding: paddingOf(g, padding),
      depthMultiplier,
      ...weights,
    } as const,
    inputShape: [g.inHeight, g.inWidth, g.inChannels],
  }));

export const depthwiseConv2dConfigurations = configurationsOf(windowCases, ({ options, inputShape }) => ({
  layer: depthwiseConv2d(options),
  inputShape,
}));

export const separableConv2dConfigurations = configurationsOf(
  fc.tuple(windowCases, fc.integer({ min: 1, max: 5 })),
  ([{ options, inputShape }, filters]) => ({ layer: separableConv2d({ filters, ...options }), inputShape }),
);

const small = (max: number) => fc.integer({ min: 1, max });
const pairOf = (max: number) => fc.tuple(small(max), small(max));

export const locallyConnected2dConfigurations = configurationsOf(
  fc.tuple(pairOf(3), pairOf(2), pairOf(3), small(4), small(5), weightOptions),
  ([kernelSize, strides, more, channels, filters, weights]) => ({
    layer: locallyConnected2d({ filters, kernelSize, strides, ...weights }),
    inputShape: [kernelSize[0] + more[0] - 1, kernelSize[1] + more[1] - 1, channels],
  }),
);

export const locallyConnected1dConfigurations = configurationsOf(
  fc.tuple(small(4), small(3), small(5), small(4), small(5), weightOptions),
  ([kernelSize, strides, more, channels, filters, weights]) => ({
    layer: locallyConnected1d({ filters, kernelSize, strides, ...weights }),
    inputShape: [kernelSize + more - 1, channels],
  }),
);
