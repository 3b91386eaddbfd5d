/** The SIMD dense layers equal their scalar kernels bit for bit, for any sizes, strides, sample counts and row ranges. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { denseForward } from '../../../src/kernels/dense-forward.ts';
import { denseInputGradient } from '../../../src/kernels/dense-input-gradient.ts';
import { LONG_SUM, packDense, SUM_BLOCK } from '../../../src/kernels/dense-pack.ts';
import { denseWeightGradient } from '../../../src/kernels/dense-weight-gradient.ts';
import { denseForwardTwin } from '../../../src/kernels/simd/dense-forward.ts';
import { denseInputGradientTwin } from '../../../src/kernels/simd/dense-input-gradient.ts';
import { packDenseTwin } from '../../../src/kernels/simd/dense-pack.ts';
import { denseWeightGradientTwin } from '../../../src/kernels/simd/dense-weight-gradient.ts';
import { check } from '../../helpers/arbitraries.ts';
import { assertTwin } from '../../helpers/twin.ts';

const features = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(64, 130, 400, 997) },
);

const layers = fc.record({
  inFeatures: features,
  outFeatures: features,
  inGap: fc.constantFrom(0, 0, 3),
  outGap: fc.constantFrom(0, 0, 5),
  count: fc.nat(11),
  seed: fc.nat(),
  specials: fc.boolean(),
  accumulate: fc.boolean(),
  bias: fc.boolean(),
  activation: fc.constantFrom('linear' as const, 'relu' as const),
  rows: fc.tuple(fc.nat(), fc.nat()),
});

test('the SIMD forward pass equals the scalar one bit for bit', () => {
  check(layers, 150, ({ inFeatures, outFeatures, inGap, outGap, bias, activation, ...options }) => {
    const strides = { inputStride: inFeatures + inGap, outputStride: outFeatures + outGap };
    const spec = { kind: 'denseForward', inFeatures, outFeatures, ...strides, bias, activation } as const;
    assert.ok(assertTwin(denseForward, denseForwardTwin, spec, options));
  });
});

test('the SIMD input gradient equals the scalar one bit for bit', () => {
  check(layers, 150, ({ inFeatures, outFeatures, inGap, outGap, accumulate, ...options }) => {
    const strides = { gradInputStride: inFeatures + inGap, gradOutputStride: outFeatures + outGap };
    const spec = { kind: 'denseInputGradient', inFeatures, outFeatures, ...strides, accumulate } as const;
    assert.ok(assertTwin(denseInputGradient, denseInputGradientTwin, spec, options));
  });
});

/** One side beyond LONG_SUM, whose sums come in blocks: full blocks alone, and a rest. */
const longSums = fc.tuple(
  layers,
  fc.constantFrom(LONG_SUM + 1, LONG_SUM + SUM_BLOCK, 2 * LONG_SUM, 2777),
  fc.constantFrom(1, 3, 16, 21, 40),
);

test('sums beyond LONG_SUM products come in the same blocks, bit for bit, in both directions', () => {
  check(longSums, 24, ([{ inGap, outGap, bias, activation, accumulate, ...options }, long, short]) => {
    const forward = {
      kind: 'denseForward',
      ...{ inFeatures: long, outFeatures: short, bias, activation },
      ...{ inputStride: long + inGap, outputStride: short + outGap },
    } as const;
    assert.ok(assertTwin(denseForward, denseForwardTwin, forward, options));
    const gradient = {
      kind: 'denseInputGradient',
      ...{ inFeatures: short, outFeatures: long, accumulate },
      ...{ gradInputStride: short + inGap, gradOutputStride: long + outGap },
    } as const;
    assert.ok(assertTwin(denseInputGradient, denseInputGradientTwin, gradient, options));
  });
});

test('the SIMD weight gradient of a range of rows equals the scalar one bit for bit', () => {
  check(layers, 150, ({ inFeatures, outFeatures, inGap, outGap, accumulate, rows, ...options }) => {
    const strides = { inputStride: inFeatures + inGap, gradOutputStride: outFeatures + outGap };
    const spec = { kind: 'denseWeightGradient', inFeatures, outFeatures, ...strides, accumulate } as const;
    const rowStart = rows[0] % (inFeatures + 1);
    const rowCount = rows[1] % (inFeatures - rowStart + 1);
    const literals = { rowStart, rowCount };
    assert.ok(assertTwin(denseWeightGradient, denseWeightGradientTwin, spec, { ...options, literals }));
  });
});

test('the SIMD packing of weights equals the scalar one byte for byte', () => {
  check(layers, 100, ({ inFeatures, outFeatures, seed }) => {
    for (const pass of ['forward', 'inputGradient'] as const) {
      const spec = { kind: 'packDense', inFeatures, outFeatures, pass } as const;
      assert.ok(assertTwin(packDense, packDenseTwin, spec, { count: 0, seed }));
    }
  });
});
