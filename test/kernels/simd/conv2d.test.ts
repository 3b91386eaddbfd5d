/**
 * The SIMD convolutions equal their scalar kernels bit for bit: on the generators' whole domain (any stride,
 * dilation, groups, padding, layout), with panels and chunks of every width, on shapes large enough for every
 * kind of block, and with special values.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../../src/errors.ts';
import { conv2dForward } from '../../../src/kernels/conv2d-forward.ts';
import { blockSize, sumsImagesTogether } from '../../../src/kernels/conv2d-gradient-blocks.ts';
import { conv2dInputGradient } from '../../../src/kernels/conv2d-input-gradient.ts';
import { packConv2d } from '../../../src/kernels/conv2d-pack.ts';
import { conv2dWeightGradient } from '../../../src/kernels/conv2d-weight-gradient.ts';
import { heapOf } from '../../../src/kernels/kernel.ts';
import { conv2dForwardTwin } from '../../../src/kernels/simd/conv2d-forward.ts';
import { conv2dInputGradientTwin } from '../../../src/kernels/simd/conv2d-input-gradient.ts';
import { packConv2dTwin } from '../../../src/kernels/simd/conv2d-pack.ts';
import { conv2dWeightGradientTwin } from '../../../src/kernels/simd/conv2d-weight-gradient.ts';
import { BASELINE_TARGET } from '../../../src/kernels/simd/twin.ts';
import {
  type ConvGeometry,
  convGeometry,
  gradOutputHalo,
  inputHalo,
} from '../../../src/tensor/convolution.ts';
import { denseView } from '../../../src/tensor/view.ts';
import { type ConvCase, check, convCases, type Slack, slackView } from '../../helpers/arbitraries.ts';
import { assertTwin, type TwinOptions } from '../../helpers/twin.ts';

/** How sums start, and how they end. */
interface Ends {
  readonly start: 'zero' | 'bias' | 'accumulate';
  readonly activation: 'linear' | 'relu';
}

const ends: fc.Arbitrary<Ends> = fc.record({
  start: fc.constantFrom('zero', 'bias', 'accumulate'),
  activation: fc.constantFrom('linear', 'relu'),
});

/** The numerics' domain with panels of every width; then little images with many channels. */
const narrow = convCases({ inChannels: 6, outChannels: 21 });
const wide = convCases({ groups: 2, inChannels: 40, outChannels: 40, kernel: [1, 3], count: 2 });
const cases = fc.oneof({ weight: 4, arbitrary: narrow }, { weight: 1, arbitrary: wide });
const runs = fc.record({ convCase: cases, ends, specials: fc.boolean(), empty: fc.nat(9) });

function inputView(g: ConvGeometry, slack: Slack) {
  return slackView(g.inHeight, g.inWidth, g.inChannels, inputHalo(g), slack);
}

function outputView(g: ConvGeometry, slack: Slack) {
  return slackView(g.outHeight, g.outWidth, g.outChannels, gradOutputHalo(g), slack);
}

function assertForward(
  { geometry, slack }: ConvCase,
  { start, activation }: Ends,
  options: TwinOptions,
): void {
  const input = inputView(geometry, slack);
  const output = outputView(geometry, slack);
  const bias = start === 'bias';
  const spec = { kind: 'conv2dForward', geometry, input, output, bias, activation } as const;
  assert.ok(assertTwin(conv2dForward, conv2dForwardTwin, spec, options));
}

function assertInputGradient(
  { geometry, slack }: ConvCase,
  { start, activation }: Ends,
  options: TwinOptions,
): void {
  const gradOutput = outputView(geometry, slack);
  const gradInput = inputView(geometry, slack);
  const ends = { accumulate: start === 'accumulate', bias: start === 'bias', activation };
  const spec = { kind: 'conv2dInputGradient', geometry, gradOutput, gradInput, ...ends } as const;
  assert.ok(assertTwin(conv2dInputGradient, conv2dInputGradientTwin, spec, options));
}

function assertWeightGradient(
  { geometry, slack, flip }: ConvCase,
  { start }: Ends,
  options: TwinOptions,
): void {
  const input = inputView(geometry, slack);
  const gradOutput = outputView(geometry, slack);
  const accumulate = start === 'accumulate';
  const spec = { kind: 'conv2dWeightGradient', geometry, input, gradOutput, accumulate, flip } as const;
  assert.ok(assertTwin(conv2dWeightGradient, conv2dWeightGradientTwin, spec, options));
  if (!canCopy(geometry)) return;
  const copied = { ...spec, copied: true };
  assert.ok(assertTwin(conv2dWeightGradient, conv2dWeightGradientTwin, copied, options));
}

/** Whether blocks of the weight gradient may be copied at all; whether it pays is another question. */
function canCopy(geometry: ConvGeometry): boolean {
  const { groups, inChannels, outChannels } = geometry;
  return groups === 1 && inChannels % 4 === 0 && outChannels % 4 === 0 && !sumsImagesTogether(geometry);
}

for (const [pass, assertPass] of [
  ['forward pass', assertForward],
  ['input gradient', assertInputGradient],
  ['weight gradient', assertWeightGradient],
] as const) {
  test(`the SIMD ${pass} equals the scalar one bit for bit`, () => {
    check(runs, 200, ({ convCase, ends, specials, empty }) => {
      const count = empty === 0 ? 0 : convCase.count;
      assertPass(convCase, ends, { count, seed: convCase.seed, specials });
    });
  });
}

test('the SIMD packing of weights equals the scalar one byte for byte', () => {
  check(cases, 200, ({ geometry, flip, seed }) => {
    for (const pass of ['forward', 'inputGradient'] as const) {
      const spec = { kind: 'packConv2d', geometry, pass, flip } as const;
      assert.ok(assertTwin(packConv2d, packConv2dTwin, spec, { count: 0, seed }));
    }
  });
});

/** [what it is for, H, W, C, K, kernel size, images] */
const LARGE = [
  ['reductions in several blocks', 8, 8, 64, 32, 3, 2],
  ['a run longer than a block', 5, 4, 1_000, 8, 1, 1],
  ['a run that no block divides', 3, 3, 997, 4, 1, 2],
  ['blocks that serve several images', 3, 3, 128, 20, 3, 5],
  ['rows longer than a small block of the weight gradient', 3, 150, 4, 8, 3, 1],
  ['several large blocks of rows in an image', 70, 70, 24, 16, 3, 2],
  ['several large blocks of images', 24, 24, 40, 24, 1, 5],
  ['pixels that share sets of the cache', 7, 9, 128, 256, 3, 3],
  ['copied blocks of several rows, the last one smaller', 47, 45, 128, 4, 3, 2],
  ['more small images than a tile sums at once', 2, 2, 5, 6, 3, 99],
  ['more single-pixel images than a tile sums at once', 1, 1, 9, 5, 1, 401],
] as const;

for (const [purpose, height, width, channels, filters, kernelSize, count] of LARGE) {
  test(`SIMD equals scalar bit for bit where there are ${purpose}`, () => {
    const options = { filters, kernelSize, padding: 'same' } as const;
    const geometry = convGeometry('test', [height, width, channels], options);
    const convCase = { geometry, count, seed: 7, slack: { halo: 0, gap: 0 }, flip: false };
    for (const start of ['bias', 'accumulate'] as const) {
      const ends = { start, activation: 'relu' } as const;
      assertForward(convCase, ends, { count, seed: 7 });
      assertInputGradient(convCase, ends, { count, seed: 8 });
      assertWeightGradient(convCase, ends, { count, seed: 9 });
    }
  });
}

test('views that do not fit are refused as the scalar kernels refuse them', () => {
  const geometry = convGeometry('test', [5, 6, 2], { filters: 3, kernelSize: 3, padding: 'same' });
  const [input, output] = [denseView(5, 6, 2, 1), denseView(5, 6, 3, 1)];
  const ends = { bias: false, activation: 'linear' } as const;
  const heap = heapOf(new ArrayBuffer(8));
  const wrong = [
    { input: denseView(5, 6, 2, 0) },
    { input: denseView(5, 6, 3, 1) },
    { output: denseView(5, 6, 2, 1) },
    { output: denseView(4, 6, 3, 1) },
  ];
  for (const views of wrong) {
    const { input: x, output: y } = { input, output, ...views };
    const forward = { kind: 'conv2dForward', geometry, input: x, output: y, ...ends } as const;
    const back = { geometry, gradOutput: y, accumulate: false } as const;
    const weight = { kind: 'conv2dWeightGradient', ...back, input: x, flip: false } as const;
    // The input's gradient needs no halo.
    const gradInput = x === wrong[0]!.input ? denseView(5, 5, 2, 0) : x;
    const backward = { kind: 'conv2dInputGradient', ...back, gradInput, ...ends } as const;
    for (const [scalar, twin] of [
      [() => conv2dForward.bind(forward, heap), () => conv2dForwardTwin.emit(forward, BASELINE_TARGET)],
      [
        () => conv2dWeightGradient.bind(weight, heap),
        () => conv2dWeightGradientTwin.emit(weight, BASELINE_TARGET),
      ],
      [
        () => conv2dInputGradient.bind(backward, heap),
        () => conv2dInputGradientTwin.emit(backward, BASELINE_TARGET),
      ],
    ] as const) {
      let refusal: Error | undefined;
      assert.throws(scalar, (error: Error) => {
        refusal = error;
        return error instanceof ShapeError;
      });
      assert.throws(twin, refusal!);
    }
  }
});

/** [H, W, C, K, kernel size, stride, dilation, images, halo and gap of the views] */
const COPIED = [
  [15, 13, 128, 8, 3, 2, 1, 3, { halo: 0, gap: 0 }],
  [12, 11, 4, 128, 3, 1, 2, 2, { halo: 1, gap: 4 }],
  [13, 13, 20, 36, 1, 2, 1, 4, { halo: 0, gap: 3 }],
  [46, 44, 132, 4, 5, 1, 1, 1, { halo: 0, gap: 0 }],
  [64, 64, 36, 32, 3, 1, 1, 1, { halo: 0, gap: 0 }],
] as const;

test('a weight gradient from copied blocks equals the scalar one bit for bit', () => {
  let parts = 0;
  for (const [height, width, channels, filters, kernelSize, strides, dilationRate, count, slack] of COPIED) {
    const options = {
      filters,
      kernelSize,
      strides,
      dilationRate,
      padding: dilationRate > 1 ? 'valid' : 'same',
    } as const;
    const geometry = convGeometry('test', [height, width, channels], options);
    assert.ok(canCopy(geometry));
    const subject = { geometry, input: inputView(geometry, slack), gradOutput: outputView(geometry, slack) };
    if (blockSize(subject, true).rows < geometry.outHeight) parts += 1;
    for (const start of ['bias', 'accumulate'] as const) {
      const convCase = { geometry, count, seed: 7, slack, flip: start === 'bias' };
      assertWeightGradient(convCase, { start, activation: 'linear' }, { count, seed: 7 });
    }
  }
  assert.equal(parts, 2, 'images in several blocks');
});
