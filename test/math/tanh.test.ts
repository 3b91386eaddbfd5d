import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sigmoid, softplus, tanh } from '../../src/math/tanh.ts';
import { largestError, largestErrorF32, neighbours, ulp } from './ulp.ts';

const subjects = [
  { name: 'tanh', f64: tanh, bound: 2 },
  { name: 'sigmoid', f64: sigmoid, bound: 2.7 },
  { name: 'softplus', f64: softplus, bound: 2 },
];

for (const { name, f64, bound } of subjects) {
  test(`${name} is within ${bound} ULP, and within 0.50000001 ULP of f32`, () => {
    const { error, row } = largestError(name, f64);
    assert.ok(error <= bound, `${name}(${row[0]}) is off by ${error} ULP`);
    assert.ok(largestErrorF32(name, f64) <= 0.50000001);
  });
}

test('tanh, sigmoid and softplus reach their limits and pass NaN on', () => {
  const rows: [number, number, number, number][] = [
    [Infinity, 1, 1, Infinity],
    [-Infinity, -1, 0, 0],
    [1e308, 1, 1, 1e308],
    [-1e308, -1, 0, 0],
    [40, 1, 1, 40],
    [0, 0, 0.5, Math.LN2],
    [-0, -0, 0.5, Math.LN2],
    [-745, -1, 5e-324, 5e-324],
    [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
  ];
  for (const [x, ...expected] of rows) {
    [tanh, sigmoid, softplus].forEach((subject, i) => {
      assert.ok(Object.is(subject(x), expected[i]!), `${subject.name}(${x}) is ${subject(x)}`);
    });
  }
});

test('tanh is odd bit for bit and at most 1; sigmoid(x) + sigmoid(-x) = 1', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (x) => {
      assert.ok(Object.is(tanh(-x), -tanh(x)));
      assert.ok(Math.abs(tanh(x)) <= 1);
      assert.ok(Math.abs(sigmoid(x) + sigmoid(-x) - 1) <= 3 * 2 ** -53);
    }),
    { numRuns: 2000, seed: 21 },
  );
});

test('softplus(x) - softplus(-x) = x within rounding', () => {
  fc.assert(
    fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (x) => {
      assert.ok(Math.abs(softplus(x) - softplus(-x) - x) <= 4 * ulp(Math.max(1, Math.abs(x))), `${x}`);
    }),
    { numRuns: 2000, seed: 21 },
  );
});

test('tanh has no step where its two forms meet', () => {
  const results = neighbours(0.55, 20).map(tanh);
  assert.ok(results.at(-1)! > results[0]!);
  results.forEach((y, i) => {
    assert.ok(Math.abs(y - results[20]! - (i - 20) * ulp(0.55) * (1 - y * y)) <= 4 * ulp(y));
  });
});
