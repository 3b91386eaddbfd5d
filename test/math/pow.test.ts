import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { pow } from '../../src/math/pow.ts';
import { largestError } from './ulp.ts';

test('pow is within 0.7 ULP, subnormal bases and results included', () => {
  const { error, row } = largestError('pow', pow);
  assert.ok(error <= 0.7, `pow(${row[0]}, ${row[1]}) is off by ${error} ULP`);
});

test("pow has ECMAScript's special values for every pair of special arguments", () => {
  const special = [0, 0.5, 1, 2, 3, 1.5, 2 ** 53, 2 ** 53 + 2, 1e300, 5e-324, 1.7e308, Infinity, Number.NaN];
  const both = special.flatMap((x) => [x, -x]);
  for (const x of both) {
    for (const y of both) {
      // biome-ignore lint/style/useExponentiationOperator: the engine's own, whose special values are specified
      const expected = Math.pow(x, y);
      const received = pow(x, y);
      const exact = expected === 0 || !Number.isFinite(expected) || Math.abs(expected) === 1;
      if (exact) assert.ok(Object.is(received, expected), `pow(${x}, ${y}) is ${received}, not ${expected}`);
      else assert.ok(Math.abs(received / expected - 1) < 1e-15, `pow(${x}, ${y}) is ${received}`);
    }
  }
});

test('whole powers that fit 53 bits are exact', () => {
  for (let base = 2n; base <= 100n; base++) {
    for (let n = 1n, power = base; power < 2n ** 53n; n++, power *= base) {
      assert.equal(pow(Number(base), Number(n)), Number(power));
      assert.equal(pow(-Number(base), Number(n)), n % 2n === 0n ? Number(power) : -Number(power));
    }
  }
  for (let n = -1074; n <= 1023; n++)
    assert.equal(pow(2, n), n < -1022 ? 2 ** -1022 * 2 ** (n + 1022) : 2 ** n);
});

test('x^1 = x bit for bit, x^-1 x = 1 and (x^2)^(1/2) = x within rounding', () => {
  const base = fc.double({ min: 1e-150, max: 1e150, noNaN: true });
  fc.assert(
    fc.property(base, (x) => {
      assert.equal(pow(x, 1), x);
      assert.ok(Math.abs(pow(x, -1) * x - 1) <= 2 ** -52);
      assert.ok(Math.abs(pow(pow(x, 2), 0.5) / x - 1) <= 2 * 2 ** -52);
    }),
    { numRuns: 1000, seed: 21 },
  );
});

test("Adam's beta powers agree with repeated multiplication within its rounding", () => {
  for (const beta of [0.9, 0.999]) {
    let product = 1;
    for (let step = 1; step <= 5000; step++) {
      product *= beta;
      assert.ok(Math.abs(pow(beta, step) / product - 1) <= (step + 2) * 2 ** -53, `${beta}^${step}`);
    }
  }
});
