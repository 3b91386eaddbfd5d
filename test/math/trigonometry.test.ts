import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cos, sin } from '../../src/math/trigonometry.ts';
import { largestError, ulp } from './ulp.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

test('sin and cos are within 0.8 ULP for every size of argument', () => {
  for (const [name, subject] of [['sin', sin] as const, ['cos', cos] as const]) {
    const { error, row } = largestError(name, subject);
    assert.ok(error <= 0.8, `${name}(${row[0]}) is off by ${error} ULP`);
  }
});

test('sin keeps signed zeros and subnormals; infinities and NaN give NaN', () => {
  for (const x of [0, -0, 5e-324, -5e-324, 2 ** -1022]) {
    assert.ok(Object.is(sin(x), x));
    assert.equal(cos(x), 1);
  }
  for (const x of [Infinity, -Infinity, Number.NaN]) {
    assert.ok(Number.isNaN(sin(x)) && Number.isNaN(cos(x)));
  }
});

test('sin is odd and cos even, bit for bit, and sin^2 + cos^2 = 1 within rounding', () => {
  const argument = fc.oneof(finite, fc.double({ min: -2e6, max: 2e6, noNaN: true }));
  fc.assert(
    fc.property(argument, (x) => {
      assert.ok(Object.is(sin(-x), -sin(x)));
      assert.ok(Object.is(cos(-x), cos(x)));
      // Each square is off by 2 * 0.8 ULP of at most 2^-53 and half a rounding; the sum by half an ulp.
      assert.ok(Math.abs(sin(x) ** 2 + cos(x) ** 2 - 1) <= 5 * 2 ** -53, `${x}`);
    }),
    { numRuns: 3000, seed: 21 },
  );
});

test('both reductions agree with the double-angle formulas', () => {
  const argument = fc.double({ min: -4e6, max: 4e6, noNaN: true });
  fc.assert(
    fc.property(argument, (x) => {
      assert.ok(Math.abs(sin(2 * x) - 2 * sin(x) * cos(x)) <= 4 * ulp(0.5), `${x}`);
      assert.ok(Math.abs(cos(2 * x) - (1 - 2 * sin(x) ** 2)) <= 8 * ulp(0.5), `${x}`);
    }),
    { numRuns: 3000, seed: 21 },
  );
});
