import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sumSquaresTwin } from '../../src/kernels/simd/sum-squares.ts';
import { type SumSquaresSpec, sumSquaresFamily } from '../../src/kernels/sum-squares.ts';
import { check, randomIntegers, randomNormals } from '../helpers/arbitraries.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const SPEC: SumSquaresSpec = { kind: 'sumSquares' };

function squaresOf(values: Float32Array): number {
  const { length } = values;
  const results = runKernel(sumSquaresFamily, SPEC, { values }, { count: length, literals: { length } });
  return results.squares![0]!;
}

test('of integers the sum is exact, for every length', () => {
  for (let length = 0; length < 70; length++) {
    const values = randomIntegers(length, length, 1000);
    assert.equal(
      squaresOf(values),
      values.reduce((sum, x) => sum + x * x, 0),
    );
  }
});

test('the sum is within the rounding errors of length / 8 + 10 additions in f64', () => {
  check(fc.record({ length: fc.nat(3000), seed: fc.nat() }), 60, ({ length, seed }) => {
    const values = randomNormals(seed, length).map((x, i) => x * 10 ** ((i % 7) - 3));
    // Squares are exact in f64; the reference adds its parts of 2^-60 and more as integers.
    const unit = 2n ** 300n;
    const exact = values.reduce((sum, x) => sum + BigInt(x * 2 ** 150) ** 2n, 0n);
    const reference = Number((exact * 2n ** 60n) / unit) / 2 ** 60;
    const bound = (length / 8 + 10) * 2 ** -53 * reference + 2 ** -59;
    assert.ok(Math.abs(squaresOf(values) - reference) <= bound);
  });
});

test('the largest floats have a finite sum', () => {
  assert.equal(squaresOf(new Float32Array(16).fill(-(2 ** 127))), 2 ** 258);
});

test('the twin of sumSquares equals the scalar kernel for every length', () => {
  check(fc.record({ length: fc.nat(70), seed: fc.nat() }), 80, ({ length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assert.ok(assertTwin(sumSquaresFamily, sumSquaresTwin, SPEC, options));
  });
});
