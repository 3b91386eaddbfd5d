import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sumPowersTwin } from '../../src/kernels/simd/sum-powers.ts';
import { type SumPowersSpec, sumPowersFamily } from '../../src/kernels/sum-powers.ts';
import { check, randomIntegers, randomNormals } from '../helpers/arbitraries.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const SPEC: SumPowersSpec = { kind: 'sumPowers', power: 2 };
const MAGNITUDES: SumPowersSpec = { kind: 'sumPowers', power: 1 };

function sumOf(values: Float32Array, spec = SPEC): number {
  const { length } = values;
  const results = runKernel(sumPowersFamily, spec, { values }, { count: length, literals: { length } });
  return results.sum![0]!;
}

test('of integers the sum is exact, for every length', () => {
  for (let length = 0; length < 70; length++) {
    const values = randomIntegers(length, length, 1000);
    assert.equal(
      sumOf(values),
      values.reduce((sum, x) => sum + x * x, 0),
    );
    assert.equal(
      sumOf(values, MAGNITUDES),
      values.reduce((sum, x) => sum + Math.abs(x), 0),
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
    assert.ok(Math.abs(sumOf(values) - reference) <= bound);
  });
});

test('the largest floats have a finite sum', () => {
  assert.equal(sumOf(new Float32Array(16).fill(-(2 ** 127))), 2 ** 258);
});

test('the twin of sumPowers equals the scalar kernel for every length', () => {
  check(fc.record({ length: fc.nat(70), seed: fc.nat() }), 80, ({ length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    for (const spec of [SPEC, MAGNITUDES]) {
      assert.ok(assertTwin(sumPowersFamily, sumPowersTwin, spec, options));
    }
  });
});
