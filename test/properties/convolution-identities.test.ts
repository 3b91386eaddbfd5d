/**
 * Convolutions that are other convolutions in disguise, bit for bit on finite values (the numerics' item 6),
 * and the matrix that a convolution is (item 8; the seed's eq. 2.7 and 2.9).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConvGeometry, convGeometry, type PaddingOption } from '../../src/tensor/convolution.ts';
import { checkMatrix, MATRIX_DOMAIN, matrixOf } from '../helpers/adjoint.ts';
import { type ConvCase, check, convCases } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { drawArrays } from '../helpers/oracle-checks.ts';
import { embed, extract, type ImageShape, sliceChannels } from '../helpers/placement.ts';
import { directForward, directInputGradient, directWeightGradient } from '../helpers/run-convolution.ts';
import { densePasses } from '../helpers/run-dense.ts';

const NO_PADDING = { top: 0, right: 0, bottom: 0, left: 0 };
const inputShape = (g: ConvGeometry, count: number): ImageShape => [
  count,
  g.inHeight,
  g.inWidth,
  g.inChannels,
];
const outputShape = (g: ConvGeometry, count: number): ImageShape => [
  count,
  g.outHeight,
  g.outWidth,
  g.outChannels,
];

/** The same geometry with some of its options changed, output size recomputed. */
function changed(
  g: ConvGeometry,
  change: Partial<ConvGeometry> & { readonly padding?: PaddingOption },
): ConvGeometry {
  const all = { ...g, ...change };
  return convGeometry('test', [all.inHeight, all.inWidth, all.inChannels], {
    filters: all.outChannels,
    kernelSize: [all.kernelHeight, all.kernelWidth],
    strides: [all.strideY, all.strideX],
    dilationRate: [all.dilationY, all.dilationX],
    padding: all.padding,
    groups: all.groups,
  });
}

/** The three passes' results. */
function passes(tried: ConvCase, arrays: ReturnType<typeof drawArrays>) {
  const { input, weight, gradOutput, bias } = arrays;
  return {
    output: directForward(tried.geometry, input, weight, { ...tried, bias }),
    gradInput: directInputGradient(tried.geometry, gradOutput, weight, tried),
    gradWeight: directWeightGradient(tried.geometry, input, gradOutput, tried),
  };
}

describe('identities of direct convolution, bit for bit', () => {
  it('6: a strided convolution is the subsampled one of stride 1; its gradients insert zeros', () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g, count } = tried;
      const arrays = drawArrays(tried);
      const plain = changed(g, { strideY: 1, strideX: 1 });
      const place = { height: plain.outHeight, width: plain.outWidth, stepY: g.strideY, stepX: g.strideX };
      const gradOutput = embed(arrays.gradOutput, outputShape(g, count), place);
      const strided = passes(tried, arrays);
      const unit = passes({ ...tried, geometry: plain }, { ...arrays, gradOutput });
      assertSameBits(strided.output, extract(unit.output, outputShape(g, count), place));
      assertSameBits(strided.gradInput, unit.gradInput);
      assertSameBits(strided.gradWeight, unit.gradWeight);
    });
  });

  it('6: a dilated convolution is one with zeros inserted between the taps', () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g } = tried;
      const arrays = drawArrays(tried);
      const taps = [1, g.kernelHeight, g.kernelWidth, (g.inChannels / g.groups) * g.outChannels] as const;
      const [height, width] = [g.dilationY * (g.kernelHeight - 1) + 1, g.dilationX * (g.kernelWidth - 1) + 1];
      const place = { height, width, stepY: g.dilationY, stepX: g.dilationX };
      const plain = changed(g, { kernelHeight: height, kernelWidth: width, dilationY: 1, dilationX: 1 });
      const dilated = passes(tried, arrays);
      const weight = embed(arrays.weight, taps, place);
      const inserted = passes({ ...tried, geometry: plain }, { ...arrays, weight });
      assertSameBits(dilated.output, inserted.output);
      assertSameBits(dilated.gradInput, inserted.gradInput);
      assertSameBits(dilated.gradWeight, extract(inserted.gradWeight, taps, place));
    });
  });

  it('6: a grouped convolution is the concatenation of its parts', () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g } = tried;
      const arrays = drawArrays(tried);
      const whole = passes(tried, arrays);
      const [C, K] = [g.inChannels / g.groups, g.outChannels / g.groups];
      const part = { ...tried, geometry: changed(g, { inChannels: C, outChannels: K, groups: 1 }) };
      for (let group = 0; group < g.groups; group++) {
        const inputs = (values: Float32Array) => sliceChannels(values, g.inChannels, group * C, C);
        const outputs = (values: Float32Array) => sliceChannels(values, g.outChannels, group * K, K);
        const results = passes(part, {
          input: inputs(arrays.input),
          weight: outputs(arrays.weight),
          gradOutput: outputs(arrays.gradOutput),
          bias: outputs(arrays.bias),
        });
        assertSameBits(results.output, outputs(whole.output));
        assertSameBits(results.gradInput, inputs(whole.gradInput));
        assertSameBits(results.gradWeight, outputs(whole.gradWeight));
      }
    });
  });

  it('6: padding is a rim of zeros around the image', () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g, count } = tried;
      const { top, right, bottom, left } = g.padding;
      const place = { height: g.inHeight + top + bottom, width: g.inWidth + left + right, top, left };
      const wide = changed(g, { inHeight: place.height, inWidth: place.width, padding: NO_PADDING });
      const arrays = drawArrays(tried);
      const padded = passes(tried, arrays);
      const input = embed(arrays.input, inputShape(g, count), place);
      const explicit = passes({ ...tried, geometry: wide }, { ...arrays, input });
      assertSameBits(padded.output, explicit.output);
      assertSameBits(padded.gradInput, extract(explicit.gradInput, inputShape(g, count), place));
      assertSameBits(padded.gradWeight, explicit.gradWeight);
    });
  });

  it('6: a 1x1 convolution is a matrix product of pixels, as the dense kernels compute it', () => {
    const domain = {
      kernel: [1, 1],
      stride: 1,
      padding: 0,
      groups: 1,
      inChannels: 20,
      outChannels: 20,
      size: 6,
    } as const;
    check(convCases(domain), 60, (tried) => {
      const { geometry: g } = tried;
      const { input, weight, gradOutput, bias } = drawArrays(tried);
      const pixels = tried.count * g.inHeight * g.inWidth;
      const dense = densePasses({ inFeatures: g.inChannels, outFeatures: g.outChannels }, { count: pixels });
      const conv = passes(tried, { input, weight, gradOutput, bias });
      assertSameBits(conv.output, dense.forward(input, weight, { bias }));
      assertSameBits(conv.gradInput, dense.inputGradient(gradOutput, weight));
      assertSameBits(conv.gradWeight, dense.weightGradient(input, gradOutput));
    });
  });
});

describe('8: the matrix of a convolution', () => {
  it('K x is the forward pass and K^T y the transposed convolution', (t) => {
    let worst = 0;
    check(convCases(MATRIX_DOMAIN), 40, (tried) => {
      worst = Math.max(worst, checkMatrix(tried));
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  const line = {
    geometry: convGeometry('test', [1, 4, 1], {
      filters: 1,
      kernelSize: [1, 3],
      padding: { top: 0, right: 1, bottom: 0, left: 1 },
    }),
    count: 1,
    seed: 0,
    slack: { halo: 0, gap: 0 },
    flip: false,
  };
  const k = Float32Array.of(2, 3, 5);

  it('is the one of eq. 2.7 without the columns of the two padding zeros', () => {
    const printed = [
      [2, 3, 5, 0, 0, 0],
      [0, 2, 3, 5, 0, 0],
      [0, 0, 2, 3, 5, 0],
      [0, 0, 0, 2, 3, 5],
    ];
    assert.deepEqual(
      matrixOf(line, k).map((row) => [...row]),
      printed.map((row) => row.slice(1, 5)),
    );
    // K x for x = (1, 2, 3, 4): k2 x1 + k3 x2 and so on.
    assertSameBits(directForward(line.geometry, [1, 2, 3, 4], k, line), [13, 23, 33, 18]);
  });

  it('transposed gives the right side of eq. 2.9', () => {
    // Four inputs, no padding, six outputs. The matrix printed there ends with k_1; its K^T has k_3 (eq. 2.7).
    const geometry = convGeometry('test', [1, 6, 1], { filters: 1, kernelSize: [1, 3] });
    const [x1, x2, x3, x4] = [1, 2, 3, 4] as const;
    const [k1, k2, k3] = k as unknown as [number, number, number];
    const right = [
      k1 * x1,
      k2 * x1 + k1 * x2,
      k3 * x1 + k2 * x2 + k1 * x3,
      k3 * x2 + k2 * x3 + k1 * x4,
      k3 * x3 + k2 * x4,
      k3 * x4,
    ];
    assertSameValues(directInputGradient(geometry, [x1, x2, x3, x4], k, { count: 1 }), right);
  });
});
