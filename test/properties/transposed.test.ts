/**
 * Transposed convolution (the seed's section 2.5) is the adjoint of convolution for every stride, dilation,
 * padding, group and output padding (the numerics' item 9), and equals its own definition by scattering.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ConvGeometry, transposedGeometry } from '../../src/tensor/convolution.ts';
import { checkAdjoint } from '../helpers/adjoint.ts';
import { check, convCases, randomValues, slacks } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues, exactIntegers } from '../helpers/exact.ts';
import {
  absolute,
  convTransposed,
  relu,
  type TransposedOptions,
  transposedExtents,
} from '../helpers/oracle.ts';
import { type Draw, productCount } from '../helpers/oracle-checks.ts';
import { directInputGradient } from '../helpers/run-convolution.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Transposed convolutions as users describe them, with at least one output pixel. */
const transposed: fc.Arbitrary<TransposedOptions> = fc
  .record({
    size: pair(1, 8),
    kernelSize: pair(1, 5),
    strides: pair(1, 3),
    dilation: pair(1, 3),
    before: pair(0, 3),
    after: pair(0, 3),
    extra: pair(0, 2),
    groups: fc.integer({ min: 1, max: 4 }),
    channels: fc.integer({ min: 1, max: 3 }),
    filters: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ size, before, after, extra, groups, channels, filters, strides, ...rest }) => ({
    ...rest,
    inHeight: size[0],
    inWidth: size[1],
    inChannels: groups * channels,
    filters: groups * filters,
    strides,
    padding: { top: before[0], left: before[1], bottom: after[0], right: after[1] },
    outputPadding: [extra[0] % strides[0], extra[1] % strides[1]] as const,
    groups,
  }))
  .filter((options) => transposedExtents(options).every((extent) => extent >= 1));

/** The convolution whose adjoint it is, as the library derives it. */
function geometryOf(o: TransposedOptions): ConvGeometry {
  const { filters, kernelSize, strides, dilation, padding, outputPadding, groups } = o;
  const options = { filters, kernelSize, strides, dilationRate: dilation, padding, outputPadding, groups };
  return transposedGeometry('test', [o.inHeight, o.inWidth, o.inChannels], options);
}

describe('transposed convolution', () => {
  it('9: <K x, y> = <x, K^T y> for every geometry', (t) => {
    let worst = 0;
    check(convCases(), 300, (tried) => {
      worst = Math.max(worst, checkAdjoint(tried));
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('9: brings an output back to its input with the output padding (i+p0+p1-d(k-1)-1) mod s, in [0, s)', () => {
    check(convCases(), 300, ({ geometry: g }) => {
      const { top, right, bottom, left } = g.padding;
      const outputPadding = [
        (g.inHeight + top + bottom - g.dilationY * (g.kernelHeight - 1) - 1) % g.strideY,
        (g.inWidth + left + right - g.dilationX * (g.kernelWidth - 1) - 1) % g.strideX,
      ] as const;
      const options: TransposedOptions = {
        inHeight: g.outHeight,
        inWidth: g.outWidth,
        inChannels: g.outChannels,
        filters: g.inChannels,
        kernelSize: [g.kernelHeight, g.kernelWidth],
        strides: [g.strideY, g.strideX],
        dilation: [g.dilationY, g.dilationX],
        padding: g.padding,
        outputPadding,
        groups: g.groups,
      };
      assert.ok(outputPadding[0] >= 0 && outputPadding[0] < g.strideY);
      assert.ok(outputPadding[1] >= 0 && outputPadding[1] < g.strideX);
      assert.deepEqual(transposedExtents(options), [g.inHeight, g.inWidth]);
      assert.deepEqual(geometryOf(options), g);
    });
  });

  it('equals its definition, pixels laying their weights over the output, and is exact on integers', (t) => {
    let worst = 0;
    const subject = fc.record({
      options: transposed,
      count: fc.integer({ min: 1, max: 3 }),
      slack: slacks,
      seed: fc.nat(2 ** 31 - 10),
    });
    check(subject, 200, ({ options, count, slack, seed }) => {
      const g = geometryOf(options);
      const n = productCount('inputGradient', { geometry: g, count, flip: false }) + 1;
      const plusBias = (values: Float64Array, bias: ArrayLike<number>) =>
        values.map((value, i) => value + bias[i % options.filters]!);
      const compare = (draw: Draw) => {
        const x = draw(seed, count * options.inHeight * options.inWidth * options.inChannels);
        const weight = draw(
          seed + 1,
          (g.kernelHeight * g.kernelWidth * options.filters * options.inChannels) / g.groups,
        );
        const bias = draw(seed + 2, options.filters);
        const run = (activation: 'linear' | 'relu') =>
          directInputGradient(g, x, weight, { count, slack, bias, activation });
        const expected = plusBias(convTransposed(options, x, weight, count), bias);
        const size = plusBias(convTransposed(options, absolute(x), absolute(weight), count), absolute(bias));
        assertSameBits(run('relu'), relu(run('linear')));
        return { actual: run('linear'), expected, size };
      };
      const { actual, expected, size } = compare(randomValues);
      worst = Math.max(worst, assertWithin(actual, expected, roundoffBounds(n, size)));
      const exact = compare((s, length) => exactIntegers(s, length, n));
      assertSameValues(exact.actual, exact.expected);
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });
});
