import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { exp, expm1 } from '../../src/math/exp.ts';
import { binaryExponent, log, log1p, mantissa } from '../../src/math/log.ts';
import { largestError, largestErrorF32, neighbours, ulp } from './ulp.ts';

test('log is within 0.9 ULP and log1p within 1, subnormal arguments included', () => {
  const { error, row } = largestError('log', log);
  assert.ok(error <= 0.9, `log(${row[0]}) is off by ${error} ULP`);
  const { error: error1p, row: row1p } = largestError('log1p', log1p);
  assert.ok(error1p <= 1, `log1p(${row1p[0]}) is off by ${error1p} ULP`);
});

test('rounded to f32 they are within 0.50000001 ULP of f32', () => {
  assert.ok(largestErrorF32('log', log) <= 0.50000001);
  assert.ok(largestErrorF32('log1p', log1p) <= 0.50000001);
});

test('log and log1p treat zeros, infinities, NaN and negative numbers as they should', () => {
  const logs: [number, number][] = [
    [0, -Infinity],
    [-0, -Infinity],
    [1, 0],
    [Infinity, Infinity],
    [-1, Number.NaN],
    [-5e-324, Number.NaN],
    [-Infinity, Number.NaN],
    [Number.NaN, Number.NaN],
  ];
  for (const [x, y] of logs) assert.ok(Object.is(log(x), y), `log(${x}) is ${log(x)}`);
  const log1ps: [number, number][] = [
    [0, 0],
    [-0, -0],
    [5e-324, 5e-324],
    [-5e-324, -5e-324],
    [-1, -Infinity],
    [-1.0000000000000002, Number.NaN],
    [-Infinity, Number.NaN],
    [Infinity, Infinity],
    [Number.NaN, Number.NaN],
  ];
  for (const [x, y] of log1ps) assert.ok(Object.is(log1p(x), y), `log1p(${x}) is ${log1p(x)}`);
});

test('exponent and mantissa put a normal double together again, the mantissa around 1', () => {
  fc.assert(
    fc.property(fc.double({ min: 2 ** -1022, max: 1.7e308, noNaN: true }), (x) => {
      const k = binaryExponent(x);
      const m = mantissa(x, k);
      assert.ok(m >= 0.7071 && m < 1.41422);
      const half = k >> 1;
      assert.equal(m * 2 ** half * 2 ** (k - half), x);
    }),
    { numRuns: 1000, seed: 21 },
  );
});

test('log does not decrease, across the breakpoints either', () => {
  for (let k = -1000; k <= 1000; k++) {
    for (const x of [2 ** k, 2 ** k * Math.SQRT2]) {
      neighbours(x, 3)
        .map(log)
        .reduce((last, next) => {
          assert.ok(next >= last, `near ${x}`);
          return next;
        });
    }
  }
});

test('log undoes exp and log1p undoes expm1 within rounding', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
      // exp's 0.8 ULP is at most that many 2^-52 relatively, and so absolutely in the logarithm.
      assert.ok(Math.abs(log(exp(x)) - x) <= 0.8 * 2 ** -52 + 0.9 * ulp(x), `${x}`);
    }),
    { numRuns: 2000, seed: 21 },
  );
  fc.assert(
    fc.property(fc.double({ min: -0.5, max: 0.5, noNaN: true }), (x) => {
      assert.ok(Math.abs(log1p(expm1(x)) - x) <= 5 * ulp(x), `${x}`);
    }),
    { numRuns: 2000, seed: 21 },
  );
});
