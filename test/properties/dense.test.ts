/** The dense kernels: against f64 within the bound, against f32 loops bit for bit, exactly on integers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LONG_SUM, SUM_BLOCK } from '../../src/kernels/dense-pack.ts';
import { check, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues, exactIntegers } from '../helpers/exact.ts';
import { absolute, relu, type Values } from '../helpers/oracle.ts';
import type { Draw } from '../helpers/oracle-checks.ts';
import {
  type DenseShape,
  denseForward,
  denseInputGradient,
  denseWeightGradient,
} from '../helpers/oracle-dense.ts';
import { densePasses } from '../helpers/run-dense.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';

interface DenseCase extends DenseShape {
  readonly count: number;
  readonly gap: number;
  readonly seed: number;
}

const cases: fc.Arbitrary<DenseCase> = fc.record({
  inFeatures: fc.integer({ min: 1, max: 40 }),
  outFeatures: fc.integer({ min: 1, max: 40 }),
  count: fc.integer({ min: 1, max: 9 }),
  gap: fc.constantFrom(0, 0, 1, 5),
  seed: fc.nat(2 ** 31 - 10),
});

function arraysOf({ inFeatures, outFeatures, count, seed }: DenseCase, draw: Draw = randomValues) {
  return {
    input: draw(seed, count * inFeatures),
    weight: draw(seed + 1, inFeatures * outFeatures),
    gradOutput: draw(seed + 2, count * outFeatures),
    bias: draw(seed + 3, outFeatures),
    oldInput: draw(seed + 4, count * inFeatures),
    oldWeight: draw(seed + 5, inFeatures * outFeatures),
  };
}

/** Results of the kernels and of the oracle, with the products in each sum. */
function compare(tried: DenseCase, arrays: ReturnType<typeof arraysOf>) {
  const { input, weight, gradOutput, bias, oldInput, oldWeight } = arrays;
  const { count, inFeatures, outFeatures } = tried;
  const run = densePasses(tried, tried);
  const plus = (a: Float64Array, b: Values) => a.map((value, i) => value + b[i]!);
  const oracle = (f: (values: Values) => Values) => [
    denseForward(tried, f(input), f(weight), count, f(bias)),
    plus(denseInputGradient(tried, f(gradOutput), f(weight), count), f(oldInput)),
    plus(denseWeightGradient(tried, f(input), f(gradOutput), count), f(oldWeight)),
  ];
  const actual = [
    run.forward(input, weight, { bias }),
    run.inputGradient(gradOutput, weight, oldInput),
    run.weightGradient(input, gradOutput, { accumulate: true, held: oldWeight }),
  ];
  const [expected, sizes] = [oracle((values) => values), oracle(absolute)];
  const products = [inFeatures + 1, outFeatures + 1, count + 1];
  return actual.map((result, i) => ({
    actual: result,
    expected: expected[i]!,
    bounds: roundoffBounds(products[i]!, sizes[i]!),
  }));
}

describe('dense', () => {
  it('is within gamma(n) * S of the f64 oracle in all three passes', (t) => {
    let worst = 0;
    check(cases, 200, (tried) => {
      for (const { actual, expected, bounds } of compare(tried, arraysOf(tried))) {
        worst = Math.max(worst, assertWithin(actual, expected, bounds));
      }
    });
    t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
  });

  it('is exact on small integers', () => {
    check(cases, 200, (tried) => {
      const n = Math.max(tried.inFeatures, tried.outFeatures, tried.count) + 1;
      const arrays = arraysOf(tried, (seed, length) => exactIntegers(seed, length, n));
      for (const { actual, expected } of compare(tried, arrays)) assertSameValues(actual, expected);
    });
  });

  it('sums in ascending order: equal to f32 loops bit for bit, NaN and infinities included', () => {
    check(cases, 100, (tried) => {
      const { inFeatures, outFeatures, count } = tried;
      const { input, weight, gradOutput, bias } = arraysOf(
        tried,
        tried.seed % 2 ? specialValues : randomValues,
      );
      const run = densePasses(tried, tried);
      const sum = (start: number, length: number, product: (i: number) => number) => {
        let total = start;
        for (let i = 0; i < length; i++) total = Math.fround(total + Math.fround(product(i)));
        return total;
      };
      const output = Float32Array.from({ length: count * outFeatures }, (_, o) => {
        const [n, k] = [Math.floor(o / outFeatures), o % outFeatures];
        return sum(bias[k]!, inFeatures, (c) => input[n * inFeatures + c]! * weight[c * outFeatures + k]!);
      });
      const gradInput = Float32Array.from({ length: count * inFeatures }, (_, i) => {
        const [n, c] = [Math.floor(i / inFeatures), i % inFeatures];
        return sum(0, outFeatures, (k) => gradOutput[n * outFeatures + k]! * weight[c * outFeatures + k]!);
      });
      const gradWeight = Float32Array.from({ length: inFeatures * outFeatures }, (_, w) => {
        const [c, k] = [Math.floor(w / outFeatures), w % outFeatures];
        return sum(0, count, (n) => input[n * inFeatures + c]! * gradOutput[n * outFeatures + k]!);
      });
      assertSameBits(run.forward(input, weight, { bias }), output);
      assertSameBits(run.inputGradient(gradOutput, weight), gradInput);
      assertSameBits(run.weightGradient(input, gradOutput), gradWeight);
      assertSameBits(run.forward(input, weight, { bias, activation: 'relu' }), relu(output));
    });
  });

  it('computes the weight gradient by ranges of rows that leave the other rows alone', () => {
    check(fc.tuple(cases, fc.nat(40)), 100, ([tried, cut]) => {
      const { input, gradOutput, oldWeight } = arraysOf(tried);
      const run = densePasses(tried, tried);
      const at = Math.min(cut, tried.inFeatures);
      const top = run.weightGradient(input, gradOutput, { rowStart: 0, rowCount: at, held: oldWeight });
      assertSameBits(top.subarray(at * tried.outFeatures), oldWeight.subarray(at * tried.outFeatures));
      const rest = { rowStart: at, rowCount: tried.inFeatures - at, held: top };
      assertSameBits(run.weightGradient(input, gradOutput, rest), run.weightGradient(input, gradOutput));
    });
  });

  it('sums more than LONG_SUM products by blocks of SUM_BLOCK from +0 on, shorter ones in one go', () => {
    for (const products of [LONG_SUM, LONG_SUM + 1, 2 * LONG_SUM + 100]) {
      const block = products > LONG_SUM ? SUM_BLOCK : products;
      const [a, b] = [randomValues(products, 2 * products), randomValues(products + 1, 3 * products)];
      const bias = randomValues(5, 3);
      const expected = Float32Array.from({ length: 6 }, (_, i) => {
        const [n, k] = [Math.floor(i / 3), i % 3];
        let sum = bias[k]!;
        for (let from = 0; from < products; from += block) {
          let part = products > LONG_SUM ? 0 : sum;
          for (let c = from; c < Math.min(products, from + block); c++) {
            part = Math.fround(part + Math.fround(a[n * products + c]! * b[c * 3 + k]!));
          }
          sum = products > LONG_SUM ? Math.fround(sum + part) : part;
        }
        return sum;
      });
      const forward = densePasses({ inFeatures: products, outFeatures: 3 }, { count: 2 });
      assertSameBits(forward.forward(a, b, { bias }), expected);
    }
  });

  it('has a smaller error where a long sum comes in blocks: VGG16’s 25,088 products', (t) => {
    const products = 25_088;
    const shape = { inFeatures: products, outFeatures: 2 };
    const [input, weight] = [randomValues(3, products).map(Math.abs), randomValues(4, 2 * products)];
    const truth = denseForward(shape, input, weight, 1);
    const inOneGo = Float64Array.from({ length: 2 }, (_, k) => {
      let sum = 0;
      for (let c = 0; c < products; c++) {
        sum = Math.fround(sum + Math.fround(input[c]! * weight[2 * c + k]!));
      }
      return sum;
    });
    const errorOf = (values: Values) => Math.hypot(...Array.from(values, (value, i) => value - truth[i]!));
    const ratio = errorOf(densePasses(shape, { count: 1 }).forward(input, weight)) / errorOf(inOneGo);
    t.diagnostic(`${ratio.toFixed(2)} times the error of one sum`);
    assert.ok(ratio < 1);
  });
});
