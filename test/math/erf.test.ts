import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { erf } from '../../src/math/erf.ts';
import { largestError, largestErrorF32 } from './ulp.ts';

test('erf is within 2 ULP, and within 0.50000001 ULP of f32', () => {
  const { error, row } = largestError('erf', erf);
  assert.ok(error <= 2, `erf(${row[0]}) is off by ${error} ULP`);
  assert.ok(largestErrorF32('erf', erf) <= 0.50000001);
});

test('erf keeps signed zeros, reaches +-1 and passes NaN on', () => {
  const rows: [number, number][] = [
    [0, 0],
    [-0, -0],
    [6, 1],
    [-6, -1],
    [1e308, 1],
    [Infinity, 1],
    [-Infinity, -1],
    [Number.NaN, Number.NaN],
  ];
  for (const [x, y] of rows) assert.ok(Object.is(erf(x), y), `erf(${x}) is ${erf(x)}`);
});

test('erf is odd bit for bit, at most 1, and grows with x', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (x) => {
      assert.ok(Object.is(erf(-x), -erf(x)));
      assert.ok(Math.abs(erf(x)) <= 1);
    }),
    { numRuns: 2000, seed: 21 },
  );
  for (let i = -6000; i < 6000; i++) assert.ok(erf((i + 1) / 1000) >= erf(i / 1000), `at ${i / 1000}`);
});

test('the central difference of erf is 2/sqrt(pi) e^(-x^2) to its truncation', () => {
  const h = 2 ** -10;
  for (let x = -5; x <= 5; x += 1 / 64) {
    const slope = (erf(x + h) - erf(x - h)) / (2 * h);
    const expected = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
    // |erf'''| <= 4/sqrt(pi) < 2.3, h^2/6 of it; and roundings of two values below 1, over 2h.
    assert.ok(Math.abs(slope - expected) <= (2.3 * h * h) / 6 + (2 * 2 ** -53 * 2) / h, `at ${x}`);
  }
});
