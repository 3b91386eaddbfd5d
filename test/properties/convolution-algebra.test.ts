/**
 * What a convolution is as an operation on images and weights, whatever computes it: commutative,
 * associative, linear in both arguments, equivariant under shifts. Numbers are those of the numerics'
 * list; * is the full true convolution.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ConvGeometry, convGeometry } from '../../src/tensor/convolution.ts';
import { check, convCases, randomIntegers, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { absolute, convForward, type Values } from '../helpers/oracle.ts';
import { type Draw, drawArrays, productCount } from '../helpers/oracle-checks.ts';
import { exchangeAxes } from '../helpers/placement.ts';
import { directForward } from '../helpers/run-convolution.ts';
import { addBounds, assertWithin, roundoffBounds, UNIT_ROUNDOFF } from '../helpers/tolerance.ts';

/** An image [height, width] or a kernel of one or more channels. */
interface Plane {
  readonly height: number;
  readonly width: number;
}

const planes = fc.record({ height: fc.integer({ min: 1, max: 5 }), width: fc.integer({ min: 1, max: 5 }) });
const seeds = fc.nat(2 ** 31 - 10);

/** The geometry of a full convolution of images [a.height, a.width, channels] with weights of b's size. */
function full(a: Plane, b: Plane, channels: number, filters: number): ConvGeometry {
  const [y, x] = [b.height - 1, b.width - 1];
  return convGeometry('test', [a.height, a.width, channels], {
    filters,
    kernelSize: [b.height, b.width],
    padding: { top: y, bottom: y, left: x, right: x },
  });
}

/** What a full convolution does and the sum of magnitudes that bounds its error. */
const FULL = { flip: true } as const;
const convolve = (g: ConvGeometry, a: Values, b: Values, count = 1) =>
  directForward(g, a, b, { count, ...FULL });
const magnitudes = (g: ConvGeometry, a: Values, b: Values, count = 1) =>
  convForward(g, absolute(a), absolute(b), count, FULL);

const area = (p: Plane) => p.height * p.width;
const grown = (a: Plane, b: Plane): Plane => ({
  height: a.height + b.height - 1,
  width: a.width + b.width - 1,
});

describe('convolution as algebra', () => {
  it('1: a * b = b * a within 2 gamma, exactly on integers', (t) => {
    let worst = 0;
    check(fc.record({ a: planes, b: planes, seed: seeds }), 300, ({ a, b, seed }) => {
      const [ab, ba] = [full(a, b, 1, 1), full(b, a, 1, 1)];
      const [x, y] = [randomValues(seed, area(a)), randomValues(seed + 1, area(b))];
      const bounds = roundoffBounds(Math.min(area(a), area(b)), magnitudes(ab, x, y));
      worst = Math.max(
        worst,
        assertWithin(convolve(ab, x, y), convolve(ba, y, x), addBounds(bounds, bounds)),
      );
      const [i, j] = [randomIntegers(seed, area(a), 100), randomIntegers(seed + 1, area(b), 100)];
      assertSameValues(convolve(ab, i, j), convolve(ba, j, i));
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('2: (a * b) * c = a * (b * c) within (n1 + n2 + n3 + n4) u (|a| * |b| * |c|), exactly on integers', (t) => {
    let worst = 0;
    const channels = fc.integer({ min: 1, max: 3 });
    const subject = fc.record({
      a: planes,
      b: planes,
      c: planes,
      C: channels,
      K: channels,
      L: channels,
      seed: seeds,
    });
    check(subject, 150, ({ a, b, c, C, K, L, seed }) => {
      const bc = grown(b, c);
      const first = full(a, b, C, K);
      const second = full(grown(a, b), c, K, L);
      // Weights [h, w, C, K] are C images [h, w, K]: b * c is a batch of C convolutions.
      const inner = full(b, c, K, L);
      const outer = full(a, bc, C, L);
      const sides = (draw: Draw) => {
        const x = draw(seed, area(a) * C);
        const y = draw(seed + 1, area(b) * C * K);
        const z = draw(seed + 2, area(c) * K * L);
        const images = exchangeAxes(y, area(b), C, K);
        const left = convolve(second, convolve(first, x, y), z);
        const right = convolve(outer, x, exchangeAxes(convolve(inner, images, z, C), C, area(bc), L));
        return { left, right, size: magnitudes(second, magnitudes(first, x, y), z) };
      };
      const n = C * area(b) + K * area(c) + K * area(c) + C * area(bc);
      const { left, right, size } = sides(randomValues);
      worst = Math.max(
        worst,
        assertWithin(
          left,
          right,
          size.map((s) => n * UNIT_ROUNDOFF * s),
        ),
      );
      // 3 * 3 channels, 25 * 25 taps and 5^3 stay below 2^24.
      const exact = sides((s, length) => randomIntegers(s, length, 5));
      assertSameValues(exact.left, exact.right);
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('3: it is additive in the image and in the weights', (t) => {
    let worst = 0;
    check(convCases(), 150, (tried) => {
      const { geometry: g, count, flip } = tried;
      const { input, weight } = drawArrays(tried);
      const more = drawArrays({ ...tried, seed: tried.seed + 10 });
      const n = productCount('forward', tried);
      const compare = (
        pass: (x: Values, w: Values) => ArrayLike<number>,
        a: Operands,
        b: Operands,
        sum: Operands,
      ) => [a, b, sum].map(([x, w]) => pass(x, w));
      const assertAdditive = (a: Operands, b: Operands, sum: Operands) => {
        const [fa, fb, fsum] = compare((x, w) => directForward(g, x, w, tried), a, b, sum) as Float32Array[];
        const sizes = compare((x, w) => convForward(g, absolute(x), absolute(w), count, { flip }), a, b, sum);
        // The sum of the operands was itself rounded, by u at most.
        const rounded = Float64Array.from(sizes[2]!, (size) => UNIT_ROUNDOFF * size);
        const bounds = addBounds(rounded, ...sizes.map((size) => roundoffBounds(n, size)));
        const expected = Float64Array.from(fa!, (value, i) => value + fb![i]!);
        worst = Math.max(worst, assertWithin(fsum!, expected, bounds));
      };
      assertAdditive([input, weight], [more.input, weight], [add(input, more.input), weight]);
      assertAdditive([input, weight], [input, more.weight], [input, add(weight, more.weight)]);
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('4: shifting the image by whole strides shifts the output, bit for bit away from the borders', () => {
    const steps = fc.record({ down: fc.nat(2), right: fc.nat(2) });
    let compared = 0;
    check(fc.tuple(convCases({ count: 1 }), steps), 200, ([tried, { down, right }]) => {
      const { geometry: g, seed } = tried;
      const [shiftY, shiftX] = [down * g.strideY, right * g.strideX];
      const width = g.inWidth + shiftX;
      const image = randomValues(seed, (g.inHeight + shiftY) * width * g.inChannels);
      const { weight } = drawArrays(tried);
      const outputAt = (top: number, left: number) =>
        directForward(g, crop(image, width, g, top, left), weight, tried);
      const [still, shifted] = [outputAt(0, 0), outputAt(shiftY, shiftX)];
      for (let oy = 0; oy + down < g.outHeight; oy++) {
        for (let ox = 0; ox + right < g.outWidth; ox++) {
          if (!isInterior(g, oy, ox) || !isInterior(g, oy + down, ox + right)) continue;
          assertSameBits(pixel(g, shifted, oy, ox), pixel(g, still, oy + down, ox + right));
          compared++;
        }
      }
    });
    assert.ok(compared > 500, `compared only ${compared} pixels`);
  });

  it('13: the sum over output channels is the convolution with the sum of the weights', (t) => {
    let worst = 0;
    check(convCases(), 150, (tried) => {
      const { geometry: g, count, flip } = tried;
      const perGroup = g.outChannels / g.groups;
      const summed = { ...g, outChannels: g.groups };
      const n = productCount('forward', tried);
      const compare = (draw: Draw) => {
        const { input, weight } = drawArrays(tried, draw);
        const few = Float32Array.from(sumRuns(weight, perGroup));
        return {
          actual: directForward(summed, input, few, tried),
          expected: sumRuns(directForward(g, input, weight, tried), perGroup),
          size: sumRuns(convForward(g, absolute(input), absolute(weight), count, { flip }), perGroup),
          rounded: convForward(summed, absolute(input), absolute(few), count, { flip }),
        };
      };
      const { actual, expected, size, rounded } = compare(randomValues);
      const bounds = rounded.map((value) => UNIT_ROUNDOFF * value);
      const both = addBounds(bounds, roundoffBounds(n, rounded), roundoffBounds(n, size));
      worst = Math.max(worst, assertWithin(actual, expected, both));
      const exact = compare((seed, length) => randomIntegers(seed, length, 50));
      assertSameValues(exact.actual, exact.expected);
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });
});

/** An image and weights. */
type Operands = readonly [Float32Array, Float32Array];

function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]!);
}

/** Sums of each `length` values that follow each other, in f64. */
function sumRuns(values: Values, length: number): Float64Array {
  const sums = new Float64Array(values.length / length);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / length)]! += values[i]!;
  return sums;
}

/** The part of an image `width` pixels wide that a geometry takes, from (top, left) on. */
function crop(image: Float32Array, width: number, g: ConvGeometry, top: number, left: number): Float32Array {
  const part = new Float32Array(g.inHeight * g.inWidth * g.inChannels);
  const row = g.inWidth * g.inChannels;
  for (let y = 0; y < g.inHeight; y++) {
    const from = ((top + y) * width + left) * g.inChannels;
    part.set(image.subarray(from, from + row), y * row);
  }
  return part;
}

/** Whether an output's window lies within the image. */
function isInterior(g: ConvGeometry, oy: number, ox: number): boolean {
  const y = oy * g.strideY - g.padding.top;
  const x = ox * g.strideX - g.padding.left;
  const [height, width] = [g.dilationY * (g.kernelHeight - 1) + 1, g.dilationX * (g.kernelWidth - 1) + 1];
  return y >= 0 && x >= 0 && y + height <= g.inHeight && x + width <= g.inWidth;
}

/** All channels of an output pixel of one image. */
function pixel(g: ConvGeometry, output: Float32Array, oy: number, ox: number): Float32Array {
  const from = (oy * g.outWidth + ox) * g.outChannels;
  return output.subarray(from, from + g.outChannels);
}
