import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { EXP_HIGHEST, EXP_LOWEST, exp, expm1, LN2_HIGH, LN2_LOW } from '../../src/math/exp.ts';
import { largestError, largestErrorF32, neighbours, ulp } from './ulp.ts';

test('exp is within 0.8 ULP, expm1 within 1.2, subnormal results included', () => {
  const { error, row } = largestError('exp', exp);
  assert.ok(error <= 0.8, `exp(${row[0]}) is off by ${error} ULP`);
  const { error: errorM1, row: rowM1 } = largestError('expm1', expm1);
  assert.ok(errorM1 <= 1.2, `expm1(${rowM1[0]}) is off by ${errorM1} ULP`);
});

test('rounded to f32 they are within 0.50000001 ULP of f32', () => {
  assert.ok(largestErrorF32('exp', exp) <= 0.50000001);
  assert.ok(largestErrorF32('expm1', expm1) <= 0.50000001);
});

test('exp and expm1 treat zeros, infinities, NaN, overflow and underflow as they should', () => {
  const rows: [number, number, number][] = [
    [0, 1, 0],
    [-0, 1, -0],
    [Infinity, Infinity, Infinity],
    [-Infinity, 0, -1],
    [Number.NaN, Number.NaN, Number.NaN],
    [709.7827128933841, Infinity, Infinity],
    [1e308, Infinity, Infinity],
    [-745.1332191019412, 0, -1],
    [-1e308, 0, -1],
    [5e-324, 1, 5e-324],
    [-5e-324, 1, -5e-324],
  ];
  for (const [x, e, m] of rows) {
    assert.ok(Object.is(exp(x), e), `exp(${x}) is ${exp(x)}`);
    assert.ok(Object.is(expm1(x), m), `expm1(${x}) is ${expm1(x)}`);
  }
  assert.ok(Number.isFinite(exp(709.782712893384)));
  assert.equal(exp(-745.133219101941), 5e-324);
  assert.equal(exp(EXP_LOWEST), 0);
  assert.equal(exp(EXP_HIGHEST), Infinity);
});

test('the high part of ln 2 leaves room for any exponent, so that k * ln2High is exact', () => {
  for (const k of [1, 3, 1023, -1077, 1025]) {
    assert.equal(BigInt(k * LN2_HIGH * 2 ** 42), BigInt(k) * BigInt(LN2_HIGH * 2 ** 42));
  }
  assert.equal(LN2_HIGH + LN2_LOW, 0.6931471805599453);
});

test('exp does not decrease, across the breakpoints either', () => {
  for (let k = -1074; k <= 1023; k++) {
    const results = neighbours((k + 0.5) * Math.LN2, 3).map(exp);
    if (k < 0) results.reverse();
    results.reduce((last, next) => {
      assert.ok(next >= last, `near ${(k + 0.5) * Math.LN2}`);
      return next;
    });
  }
});

test('e^(a+b) = e^a e^b and expm1 = exp - 1 within rounding', () => {
  const argument = fc.double({ min: -300, max: 300, noNaN: true });
  fc.assert(
    fc.property(argument, argument, (a, b) => {
      const sum = exp(a + b);
      // a + b is off by half an ulp of it, which the exponential turns into a relative error.
      const allowed = (4 + ulp(a + b) * 2 ** 52) * ulp(sum);
      assert.ok(Math.abs(sum - exp(a) * exp(b)) <= allowed, `${a} ${b}`);
      const m = expm1(a);
      assert.ok(Math.abs(m - (exp(a) - 1)) <= 2 * ulp(m) + ulp(Math.max(exp(a), 0.5)), `${a}`);
    }),
    { numRuns: 2000, seed: 21 },
  );
});
