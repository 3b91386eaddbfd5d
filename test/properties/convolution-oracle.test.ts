/**
 * The direct kernels against the f64 oracle over the whole domain (numerics.md's bound, no factor of
 * safety), against an FFT, exactly on integers, and on values that are not ordinary numbers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { convGeometry, weightCount } from '../../src/tensor/convolution.ts';
import { check, convCases, type Domain, randomValues, SEED, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { absolute, convForward, convForwardRounded, relu } from '../helpers/oracle.ts';
import {
  checkExact,
  checkWithinBounds,
  type Draw,
  direct,
  drawArrays,
  PASSES,
  productCount,
} from '../helpers/oracle-checks.ts';
import { fourierConvolution } from '../helpers/oracle-fourier.ts';
import { rotateTaps } from '../helpers/placement.ts';
import { directForward, directInputGradient, directWeightGradient } from '../helpers/run-convolution.ts';
import { assertWithin, MAX_BOUNDED_PRODUCTS, roundoffBounds } from '../helpers/tolerance.ts';

/** Few pixels, but channels on both sides of a vector's and a panel's width. */
const WIDE: Domain = { kernel: [1, 3], groups: 2, inChannels: 37, outChannels: 37, count: 1, size: 5 };

/** Products down among the subnormals, where the bound's second term is all there is. */
const tiny: Draw = (seed, length) => randomValues(seed, length, -24, -20);
/** Sums up to a third of the largest f32. */
const huge: Draw = (seed, length) => randomValues(seed, length, 15, 17.5);

describe('direct convolution', () => {
  for (const pass of PASSES) {
    it(`${pass} is within gamma(n) * S of the f64 oracle`, (t) => {
      let worst = 0;
      check(convCases(), 300, (tried) => {
        worst = Math.max(worst, checkWithinBounds(direct, pass, tried));
      });
      check(convCases(WIDE), 40, (tried) => {
        worst = Math.max(worst, checkWithinBounds(direct, pass, tried));
      });
      t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
    });

    it(`${pass} keeps its bound among subnormals and near the largest numbers`, () => {
      check(convCases(), 100, (tried) => {
        checkWithinBounds(direct, pass, tried, tiny);
        checkWithinBounds(direct, pass, tried, huge);
      });
    });

    it(`${pass} passes on NaN, infinities and zeros of both signs as the definition does`, () => {
      check(convCases(), 200, (tried) => {
        // The input gradient's definition has no padded taps, its kernel has: finite weights hide them.
        const draw: Draw = (seed, length) =>
          pass === 'inputGradient' && seed === tried.seed + 1
            ? randomValues(seed, length)
            : specialValues(seed, length);
        checkWithinBounds(direct, pass, tried, draw);
      });
    });

    it(`${pass} is exact on small integers`, () => {
      check(convCases(), 200, (tried) => checkExact(direct, pass, tried));
      check(convCases(WIDE), 40, (tried) => checkExact(direct, pass, tried));
    });
  }

  it('is exact on integers where the bound is blind: more than 4,096 products in a sum', () => {
    const large = (size: number, channels: number, filters: number) =>
      convGeometry('test', [size, size, channels], { filters, kernelSize: 3, padding: 'same' });
    const cases = {
      forward: { geometry: large(4, 500, 2), count: 1 },
      inputGradient: { geometry: large(4, 2, 500), count: 1 },
      weightGradient: { geometry: large(8, 2, 2), count: 70 },
    };
    for (const pass of PASSES) {
      const tried = { ...cases[pass], seed: SEED, slack: { halo: 0, gap: 0 }, flip: false };
      assert.ok(productCount(pass, tried) > MAX_BOUNDED_PRODUCTS);
      checkExact(direct, pass, tried);
    }
  });

  it('5: with flip and full padding it is the true convolution that an FFT computes', (t) => {
    let worst = 0;
    check(
      convCases({ stride: 1, dilation: 1, padding: 0, groups: 1, count: 1 }),
      100,
      ({ geometry, ...tried }) => {
        const { kernelHeight: kh, kernelWidth: kw, inHeight, inWidth } = geometry;
        const g = {
          ...geometry,
          padding: { top: kh - 1, bottom: kh - 1, left: kw - 1, right: kw - 1 },
          outHeight: inHeight + kh - 1,
          outWidth: inWidth + kw - 1,
        };
        const { input, weight } = drawArrays({ ...tried, geometry: g });
        const { output, error } = fourierConvolution(input, [inHeight, inWidth, g.inChannels], weight, [
          kh,
          kw,
          g.outChannels,
        ]);
        const magnitudes = convForward(g, absolute(input), absolute(weight), 1, { flip: true });
        const bounds = roundoffBounds(kh * kw * g.inChannels, magnitudes).map((bound) => bound + error);
        const actual = directForward(g, input, weight, { ...tried, flip: true });
        worst = Math.max(worst, assertWithin(actual, output, bounds, 'FFT'));
      },
    );
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('5: a true convolution is the correlation with weights rotated by 180 degrees, bit for bit', () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g } = tried;
      const { input, weight, gradOutput } = drawArrays(tried);
      const rotated = rotateTaps(weight, g.kernelHeight * g.kernelWidth);
      const plain = { ...tried, flip: false };
      const flipped = { ...tried, flip: true };
      assertSameBits(directForward(g, input, weight, flipped), directForward(g, input, rotated, plain));
      assertSameBits(
        directInputGradient(g, gradOutput, weight, flipped),
        directInputGradient(g, gradOutput, rotated, plain),
      );
      assertSameBits(
        directWeightGradient(g, input, gradOutput, flipped),
        rotateTaps(directWeightGradient(g, input, gradOutput, plain), g.kernelHeight * g.kernelWidth),
      );
    });
  });

  it('forward sums in f32 from the bias over rows, columns and channels of the window, bit for bit', () => {
    check(convCases(), 150, (tried) => {
      const { geometry: g, count, flip, seed } = tried;
      const { input, weight, bias } = drawArrays(tried, seed % 2 === 0 ? randomValues : specialValues);
      const expected = convForwardRounded(g, input, weight, count, { bias, flip });
      assertSameBits(directForward(g, input, weight, { ...tried, bias }), expected);
    });
  });

  it('fuses ReLU without changing a bit of what is not negative, and keeps NaN', () => {
    check(convCases(), 100, (tried) => {
      const { input, weight, bias, gradOutput } = drawArrays(tried, specialValues);
      const options = { ...tried, bias };
      assertSameBits(
        directForward(tried.geometry, input, weight, { ...options, activation: 'relu' }),
        relu(directForward(tried.geometry, input, weight, options)),
      );
      assertSameBits(
        directInputGradient(tried.geometry, gradOutput, weight, { ...tried, activation: 'relu' }),
        relu(directInputGradient(tried.geometry, gradOutput, weight, tried)),
      );
    });
  });

  it('writes nothing for an empty batch, and a weight gradient of zeros', () => {
    check(convCases(), 20, (tried) => {
      const { geometry: g } = tried;
      const none = new Float32Array(0);
      const weight = randomValues(tried.seed, weightCount(g));
      const options = { ...tried, count: 0 };
      assertSameBits(directForward(g, none, weight, options), none);
      assertSameBits(directInputGradient(g, none, weight, options), none);
      assertSameBits(directWeightGradient(g, none, none, options), new Float32Array(weightCount(g)));
      assertSameBits(directWeightGradient(g, none, none, { ...options, onto: weight }), weight);
    });
  });
});
