/**
 * Backpropagation through a convolution is convolution: the identities of the seed's chapter 3 (eq. 3.5 to
 * 3.8), for every stride, dilation, padding and group; and the trilinear form behind all three passes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { channelSum } from '../../src/kernels/channel-sum.ts';
import { convGeometry } from '../../src/tensor/convolution.ts';
import { check, convCases, randomIntegers, slackView } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { absolute, channelSums, convForward, convWeightGradient, dot } from '../helpers/oracle.ts';
import { drawArrays, productCount } from '../helpers/oracle-checks.ts';
import { maxPool, maxPoolGradient } from '../helpers/oracle-pool.ts';
import { embed, exchangeAxes, extract, flipAndExchange, sliceChannels } from '../helpers/placement.ts';
import { directForward, directInputGradient, directWeightGradient } from '../helpers/run-convolution.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { addBounds, assertWithin, gamma, roundoffBounds } from '../helpers/tolerance.ts';

/** [N, H, W, C] to [C, H, W, N]. */
function exchangeBatch(values: Float32Array, count: number, channels: number): Float32Array {
  const pixels = values.length / count / channels;
  return exchangeAxes(exchangeAxes(values, count, pixels * channels, 1), pixels, channels, count);
}

describe('gradients are convolutions', () => {
  it('10: the input gradient correlates zero-inserted, fully padded dO with flipped weights (eq. 3.8), bit for bit', () => {
    check(convCases(), 200, ({ geometry: g, count, slack, ...rest }) => {
      const { weight, gradOutput } = drawArrays({ geometry: g, count, slack, ...rest });
      const reach = [g.dilationY * (g.kernelHeight - 1), g.dilationX * (g.kernelWidth - 1)] as const;
      const [rows, columns] = [
        g.inHeight + g.padding.top + g.padding.bottom,
        g.inWidth + g.padding.left + g.padding.right,
      ];
      const inserted = { height: (g.outHeight - 1) * g.strideY + 1, width: (g.outWidth - 1) * g.strideX + 1 };
      const steps = { ...inserted, stepY: g.strideY, stepX: g.strideX };
      const outputPadding = [
        (rows - reach[0] - 1) % g.strideY,
        (columns - reach[1] - 1) % g.strideX,
      ] as const;
      const full = convGeometry('test', [inserted.height, inserted.width, g.outChannels], {
        filters: g.inChannels,
        kernelSize: [g.kernelHeight, g.kernelWidth],
        dilationRate: [g.dilationY, g.dilationX],
        padding: {
          top: reach[0],
          bottom: reach[0] + outputPadding[0],
          left: reach[1],
          right: reach[1] + outputPadding[1],
        },
        groups: g.groups,
      });
      assert.deepEqual([full.outHeight, full.outWidth], [rows, columns]);
      const spread = embed(gradOutput, [count, g.outHeight, g.outWidth, g.outChannels], steps);
      const padded = directForward(full, spread, flipAndExchange(weight, g), { count, slack });
      const place = { height: rows, width: columns, top: g.padding.top, left: g.padding.left };
      const expected = extract(padded, [count, g.inHeight, g.inWidth, g.inChannels], place);
      assertSameBits(directInputGradient(g, gradOutput, weight, { count, slack }), expected);
    });
  });

  it('11: the weight gradient correlates X with dO, stride and dilation exchanged (eq. 3.6)', (t) => {
    let worst = 0;
    check(convCases(), 200, ({ geometry: g, count, slack, ...rest }) => {
      const { input, gradOutput } = drawArrays({ geometry: g, count, slack, ...rest });
      const [C, K] = [g.inChannels / g.groups, g.outChannels / g.groups];
      // The images of one channel become one image of N channels, and dO [N, Ho, Wo, K] weights [Ho, Wo, N, K].
      const swapped = convGeometry('test', [g.inHeight, g.inWidth, count], {
        filters: K,
        kernelSize: [g.outHeight, g.outWidth],
        strides: [g.dilationY, g.dilationX],
        dilationRate: [g.strideY, g.strideX],
        padding: g.padding,
      });
      const actual = directWeightGradient(g, input, gradOutput, { count, slack });
      const sizes = convWeightGradient(g, absolute(input), absolute(gradOutput), count);
      for (let group = 0; group < g.groups; group++) {
        const images = exchangeBatch(sliceChannels(input, g.inChannels, group * C, C), count, C);
        const outputs = sliceChannels(gradOutput, g.outChannels, group * K, K);
        const area = g.outHeight * g.outWidth;
        const weight = exchangeAxes(outputs, count, area, K);
        const correlated = directForward(swapped, images, weight, { count: C, slack });
        // [C, kh', kw', K], cropped to the kernel and brought to HWIO.
        const place = { height: swapped.outHeight, width: swapped.outWidth };
        const cropped = extract(correlated, [C, g.kernelHeight, g.kernelWidth, K], place);
        const expected = exchangeAxes(cropped, C, g.kernelHeight * g.kernelWidth, K);
        const part = (values: Float32Array) => sliceChannels(values, g.outChannels, group * K, K);
        const size = sizes.filter((_, i) => Math.floor((i % g.outChannels) / K) === group);
        const bounds = roundoffBounds(count * area, size);
        if (count === 1) assertSameBits(part(actual), expected);
        else worst = Math.max(worst, assertWithin(part(actual), expected, addBounds(bounds, bounds)));
      }
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('11: the bias gradient is the sum of dO', (t) => {
    let worst = 0;
    check(convCases(), 100, (tried) => {
      const { geometry: g, count, slack } = tried;
      const { gradOutput: values, bias } = drawArrays(tried);
      const view = slackView(g.outHeight, g.outWidth, g.outChannels, 0, slack);
      const sum = (accumulate: boolean) =>
        runKernel(
          channelSum,
          { kind: 'channelSum', view, accumulate },
          { values, ...(accumulate && { sums: bias }) },
          { count, views: { values: view } },
        ).sums!;
      const [expected, size] = [
        channelSums(values, g.outChannels),
        channelSums(absolute(values), g.outChannels),
      ];
      const n = productCount('weightGradient', tried);
      worst = Math.max(worst, assertWithin(sum(false), expected, roundoffBounds(n, size)));
      const more = (sums: Float64Array, start: ArrayLike<number>) =>
        sums.map((value, i) => value + start[i]!);
      assertWithin(sum(true), more(expected, bias), roundoffBounds(n + 1, more(size, absolute(bias))));
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('12: <dW, W> = <dX, X> = <dY, Y>, all three the same trilinear form', (t) => {
    let worst = 0;
    check(convCases(), 200, (tried) => {
      const { geometry: g, count, flip } = tried;
      const { input, weight, gradOutput } = drawArrays(tried);
      const forms = [
        dot(directForward(g, input, weight, tried), gradOutput),
        dot(directInputGradient(g, gradOutput, weight, tried), input),
        dot(directWeightGradient(g, input, gradOutput, tried), weight),
      ] as const;
      const size = dot(
        convForward(g, absolute(input), absolute(weight), count, { flip }),
        absolute(gradOutput),
      );
      const errors = (['forward', 'inputGradient', 'weightGradient'] as const).map(
        (pass) => gamma(productCount(pass, tried)) * size,
      );
      for (const other of [1, 2] as const) {
        worst = Math.max(worst, assertWithin([forms[0]], [forms[other]], [errors[0]! + errors[other]!]));
      }
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('12: <dW, W> is the same for every layer of a network of ReLU and max pooling, exactly on integers', () => {
    check(convCases({ stride: 2, dilation: 1, kernel: [1, 3], groups: 1 }), 100, (tried) => {
      const { geometry: first, count, flip, seed } = tried;
      const pool = { ...first, ...pooled(first.outHeight, first.outWidth), inChannels: first.outChannels };
      const second = convGeometry('test', [pool.outHeight, pool.outWidth, first.outChannels], {
        filters: 2,
        kernelSize: 3,
        padding: 'same',
      });
      const { input, weight: w1 } = drawArrays(tried, (s, length) => randomIntegers(s, length, 3));
      const w2 = randomIntegers(seed + 5, 18 * first.outChannels, 2);
      const hidden = directForward(first, input, w1, { count, flip, activation: 'relu' });
      const features = Float32Array.from(maxPool(pool, hidden, count).output);
      const output = directForward(second, features, w2, { count, flip });
      const gradOutput = randomIntegers(seed + 6, output.length, 2);
      const gradFeatures = directInputGradient(second, gradOutput, w2, { count, flip });
      const gradHidden = maxPoolGradient(pool, hidden, gradFeatures, count).map((v, i) =>
        hidden[i]! > 0 ? v : 0,
      );
      const gradW1 = directWeightGradient(first, input, gradHidden, { count, flip });
      const gradW2 = directWeightGradient(second, features, gradOutput, { count, flip });
      const form = dot(gradOutput, output);
      assertSameValues([dot(gradW1, w1), dot(gradW2, w2)], [form, form]);
    });
  });

  it('gives the sums printed in eq. 3.5 and 3.7', () => {
    const g = convGeometry('test', [3, 3, 1], { filters: 1, kernelSize: 2 });
    const X = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const [F11, F12, F21, F22] = [2, 3, 5, 7] as const;
    const [O11, O12, O21, O22] = [11, 13, 17, 19] as const;
    const at = (row: number, column: number) => X[(row - 1) * 3 + column - 1]!;
    // The third and fourth line of eq. 3.5 print dF_11 where dF_21 and dF_22 are meant.
    assertSameValues(directWeightGradient(g, X, [O11, O12, O21, O22], { count: 1 }), [
      O11 * at(1, 1) + O12 * at(1, 2) + O21 * at(2, 1) + O22 * at(2, 2),
      O11 * at(1, 2) + O12 * at(1, 3) + O21 * at(2, 2) + O22 * at(2, 3),
      O11 * at(2, 1) + O12 * at(2, 2) + O21 * at(3, 1) + O22 * at(3, 2),
      O11 * at(2, 2) + O12 * at(2, 3) + O21 * at(3, 2) + O22 * at(3, 3),
    ]);
    // dX_22 of eq. 3.7 lacks a plus sign.
    assertSameValues(directInputGradient(g, [O11, O12, O21, O22], [F11, F12, F21, F22], { count: 1 }), [
      O11 * F11,
      O11 * F12 + O12 * F11,
      O12 * F12,
      O11 * F21 + O21 * F11,
      O11 * F22 + O12 * F21 + O21 * F12 + O22 * F11,
      O12 * F22 + O22 * F12,
      O21 * F21,
      O21 * F22 + O22 * F21,
      O22 * F22,
    ]);
  });
});

/** Windows of 2x2 (or what fits), overlapping, over a height x width image. */
function pooled(inHeight: number, inWidth: number) {
  const [kernelHeight, kernelWidth] = [Math.min(2, inHeight), Math.min(2, inWidth)];
  const sizes = { outHeight: inHeight - kernelHeight + 1, outWidth: inWidth - kernelWidth + 1 };
  const steps = { strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  const padding = { top: 0, right: 0, bottom: 0, left: 0 };
  return { inHeight, inWidth, kernelHeight, kernelWidth, ...sizes, ...steps, padding };
}
