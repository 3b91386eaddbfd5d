/**
 * The SIMD convolutions equal their scalar kernels bit for bit: on the generators' whole domain (any stride,
 * dilation, groups, padding, channel count, layout), on shapes with full panels and blocked reductions, and
 * with special values.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { conv2dForward } from '../../../src/kernels/conv2d-forward.ts';
import { conv2dInputGradient } from '../../../src/kernels/conv2d-input-gradient.ts';
import { conv2dWeightGradient } from '../../../src/kernels/conv2d-weight-gradient.ts';
import { conv2dForwardSimd } from '../../../src/kernels/simd/conv2d-forward.ts';
import { conv2dInputGradientSimd } from '../../../src/kernels/simd/conv2d-input-gradient.ts';
import { conv2dWeightGradientSimd } from '../../../src/kernels/simd/conv2d-weight-gradient.ts';
import {
  type ConvGeometry,
  convGeometry,
  gradOutputHalo,
  inputHalo,
} from '../../../src/tensor/convolution.ts';
import type { View } from '../../../src/tensor/view.ts';
import { assertTwin } from '../../helpers/twin.ts';

const RUNS = { numRuns: 150, seed: 21 } as const;

/** Room around and between pixels: a wider halo than needed, unused channels, unused floats after rows and images. */
interface Slack {
  readonly halo: number;
  readonly pixel: number;
  readonly row: number;
  readonly image: number;
}

const slack: fc.Arbitrary<Slack> = fc.record({
  halo: fc.nat(1),
  pixel: fc.constantFrom(0, 0, 1, 5),
  row: fc.constantFrom(0, 0, 3),
  image: fc.constantFrom(0, 0, 2),
});

const axis = fc.record({
  extent: fc.integer({ min: 1, max: 12 }),
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  before: fc.nat(3),
  after: fc.nat(3),
});

const fittingAxis = axis.filter((a) => a.dilation * (a.kernel - 1) + 1 <= a.extent + a.before + a.after);

/** The numerics' domain, with more output channels so that panels of every width occur. */
const geometry: fc.Arbitrary<ConvGeometry> = fc
  .record({
    vertical: fittingAxis,
    horizontal: fittingAxis,
    groups: fc.constantFrom(1, 1, 2, 4),
    inChannels: fc.integer({ min: 1, max: 6 }),
    outChannels: fc.integer({ min: 1, max: 21 }),
  })
  .map(({ vertical: v, horizontal: h, groups, inChannels, outChannels }) =>
    convGeometry('test', [v.extent, h.extent, groups * inChannels], {
      filters: groups * outChannels,
      kernelSize: [v.kernel, h.kernel],
      strides: [v.stride, h.stride],
      dilationRate: [v.dilation, h.dilation],
      padding: { top: v.before, bottom: v.after, left: h.before, right: h.after },
      groups,
    }),
  );

const run = fc.record({ count: fc.integer({ min: 0, max: 3 }), seed: fc.nat(), specials: fc.boolean() });
const activation = fc.constantFrom('linear' as const, 'relu' as const);

function slackView(height: number, width: number, channels: number, halo: number, extra: Slack): View {
  const wide = halo + extra.halo;
  const pixelStride = channels + extra.pixel;
  const rowStride = (width + 2 * wide) * pixelStride + extra.row;
  const imageStride = (height + 2 * wide) * rowStride + extra.image;
  return { height, width, channels, pixelStride, rowStride, imageStride, halo: wide };
}

const inputView = (g: ConvGeometry, extra: Slack): View =>
  slackView(g.inHeight, g.inWidth, g.inChannels, inputHalo(g), extra);
const outputView = (g: ConvGeometry, extra: Slack): View =>
  slackView(g.outHeight, g.outWidth, g.outChannels, gradOutputHalo(g), extra);

test('the SIMD forward pass equals the scalar one bit for bit', () => {
  fc.assert(
    fc.property(
      geometry,
      slack,
      slack,
      fc.boolean(),
      activation,
      run,
      (g, inSlack, outSlack, bias, act, options) => {
        const spec = {
          kind: 'conv2dForward' as const,
          geometry: g,
          input: inputView(g, inSlack),
          output: outputView(g, outSlack),
          bias,
          activation: act,
        };
        assertTwin(conv2dForward, conv2dForwardSimd, spec, options);
      },
    ),
    RUNS,
  );
});

const ends = fc.constantFrom('zero' as const, 'bias' as const, 'accumulate' as const);

test('the SIMD input gradient equals the scalar one bit for bit', () => {
  fc.assert(
    fc.property(
      geometry,
      slack,
      slack,
      ends,
      activation,
      run,
      (g, inSlack, outSlack, start, act, options) => {
        const spec = {
          kind: 'conv2dInputGradient' as const,
          geometry: g,
          gradOutput: outputView(g, outSlack),
          gradInput: inputView(g, inSlack),
          accumulate: start === 'accumulate',
          bias: start === 'bias',
          activation: act,
        };
        assertTwin(conv2dInputGradient, conv2dInputGradientSimd, spec, options);
      },
    ),
    RUNS,
  );
});

test('the SIMD weight gradient equals the scalar one bit for bit', () => {
  fc.assert(
    fc.property(
      geometry,
      slack,
      slack,
      fc.boolean(),
      fc.boolean(),
      run,
      (g, inSlack, outSlack, accumulate, flip, options) => {
        const spec = {
          kind: 'conv2dWeightGradient' as const,
          geometry: g,
          input: inputView(g, inSlack),
          gradOutput: outputView(g, outSlack),
          accumulate,
          flip,
        };
        assertTwin(conv2dWeightGradient, conv2dWeightGradientSimd, spec, options);
      },
    ),
    RUNS,
  );
});
