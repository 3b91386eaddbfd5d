/** Depthwise convolutions take kernels of their own (simd/micro-depthwise.ts): they hold the same bits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { conv2dForward } from '../../../src/kernels/conv2d-forward.ts';
import { conv2dInputGradient } from '../../../src/kernels/conv2d-input-gradient.ts';
import { conv2dWeightGradient } from '../../../src/kernels/conv2d-weight-gradient.ts';
import { conv2dForwardTwin } from '../../../src/kernels/simd/conv2d-forward.ts';
import { conv2dInputGradientTwin } from '../../../src/kernels/simd/conv2d-input-gradient.ts';
import { conv2dWeightGradientTwin } from '../../../src/kernels/simd/conv2d-weight-gradient.ts';
import {
  type ConvGeometry,
  convGeometry,
  gradOutputHalo,
  inputHalo,
} from '../../../src/tensor/convolution.ts';
import { denseView } from '../../../src/tensor/view.ts';
import { assertTwin } from '../../helpers/twin.ts';

const pads = fc.nat(3);
const cases = fc.record({
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 4, max: 21 }),
  kernelSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilationRate: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  padding: fc.record({ top: pads, right: pads, bottom: pads, left: pads }),
  count: fc.nat(3),
  slack: fc.nat(1),
  gap: fc.nat(3),
  start: fc.constantFrom('zero', 'bias', 'held'),
  relu: fc.boolean(),
  flip: fc.boolean(),
  seed: fc.nat(),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** The case's geometry, or undefined where the window does not fit into the image. */
function geometryOf(c: Case): ConvGeometry | undefined {
  const { kernelSize, strides, dilationRate, padding } = c;
  const extent = (axis: 0 | 1) => dilationRate[axis] * (kernelSize[axis] - 1) + 1;
  if (c.height + padding.top + padding.bottom < extent(0)) return undefined;
  if (c.width + padding.left + padding.right < extent(1)) return undefined;
  const options = { filters: c.channels, groups: c.channels, kernelSize, strides, dilationRate, padding };
  return convGeometry('test', [c.height, c.width, c.channels], options);
}

/** A view with room between its pixels. */
function spaced(height: number, width: number, channels: number, halo: number, gap: number) {
  return { ...denseView(height, width, channels + gap, halo), channels };
}

function forCases(body: (g: ConvGeometry, c: Case) => void): void {
  const property = fc.property(cases, (c) => {
    const geometry = geometryOf(c);
    fc.pre(geometry !== undefined);
    body(geometry!, c);
  });
  fc.assert(property, { numRuns: 120, seed: 21 });
}

test('the forward pass of a depthwise convolution equals its scalar kernel bit for bit', () => {
  forCases((geometry, c) => {
    const spec = {
      kind: 'conv2dForward',
      geometry,
      input: spaced(c.height, c.width, c.channels, inputHalo(geometry) + c.slack, c.gap),
      output: spaced(geometry.outHeight, geometry.outWidth, c.channels, c.slack, c.gap),
      bias: c.start === 'bias',
      accumulate: c.start === 'held',
      activation: c.relu ? 'relu' : 'linear',
    } as const;
    assert.ok(assertTwin(conv2dForward, conv2dForwardTwin, spec, { ...c, specials: true }));
  });
});

test('the input gradient of a depthwise convolution equals its scalar kernel bit for bit', () => {
  forCases((geometry, c) => {
    const halo = gradOutputHalo(geometry) + c.slack;
    const spec = {
      kind: 'conv2dInputGradient',
      geometry,
      gradOutput: spaced(geometry.outHeight, geometry.outWidth, c.channels, halo, c.gap),
      gradInput: spaced(c.height, c.width, c.channels, c.slack, c.gap),
      bias: c.start === 'bias',
      accumulate: c.start === 'held',
      activation: c.relu ? 'relu' : 'linear',
    } as const;
    assert.ok(assertTwin(conv2dInputGradient, conv2dInputGradientTwin, spec, { ...c, specials: true }));
  });
});

test('the weight gradient of a depthwise convolution equals its scalar kernel bit for bit', () => {
  forCases((geometry, c) => {
    const spec = {
      kind: 'conv2dWeightGradient',
      geometry,
      input: spaced(c.height, c.width, c.channels, inputHalo(geometry) + c.slack, c.gap),
      gradOutput: spaced(geometry.outHeight, geometry.outWidth, c.channels, c.slack, c.gap),
      accumulate: c.start === 'held',
      flip: c.flip,
    } as const;
    assert.ok(assertTwin(conv2dWeightGradient, conv2dWeightGradientTwin, spec, { ...c, specials: true }));
  });
});
