import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type AddPenaltySpec, addPenaltyFamily } from '../../src/kernels/add-penalty.ts';
import { addPenaltyTwin } from '../../src/kernels/simd/add-penalty.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { add, assertBounded, exactly, multiply, rounded } from '../helpers/running-error.ts';
import { assertTwin } from '../helpers/twin.ts';

function added(l1: number, l2: number, param: ArrayLike<number>, gradient: ArrayLike<number>): Float32Array {
  const arrays = { param: Float32Array.from(param), gradient: Float32Array.from(gradient) };
  const options = { count: param.length, literals: { length: param.length } };
  return runKernel(addPenaltyFamily, { kind: 'addPenalty', l1, l2 }, arrays, options)
    .gradient as Float32Array;
}

test('l2 adds 2 l2 w, l1 adds l1 in the direction of the weight, which at 0 has none', () => {
  assertSameBits(added(0, 0.25, [4, -2, 0], [1, 1, 1]), [3, 0, 1]);
  assertSameBits(added(0.5, 0, [4, -1e-30, 0, -0], [1, 1, 1, -0]), [1.5, 0.5, 1, 0]);
  assertSameBits(added(0.5, 0.25, [4, -2], [1, 1]), [3.5, -0.5]);
});

test('random penalties stay within the rounding errors of their operations', () => {
  const param = randomValues(3, 300);
  const gradient = randomValues(4, 300);
  const result = added(0.01, 0.003, param, gradient);
  param.forEach((w, i) => {
    const smooth = add(exactly(gradient[i]!), multiply(rounded(2 * 0.003), exactly(w)));
    assertBounded(result[i]!, add(smooth, rounded(0.01 * Math.sign(w))), `gradient[${i}]`);
  });
});

test('the twin of addPenalty equals the scalar kernel for every length', () => {
  const spec: fc.Arbitrary<AddPenaltySpec> = fc.record({
    kind: fc.constant('addPenalty' as const),
    l1: fc.constantFrom(0, 0.1),
    l2: fc.constantFrom(0, 0.01),
  });
  check(fc.record({ spec, length: fc.nat(50), seed: fc.nat() }), 60, ({ spec, length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assert.ok(assertTwin(addPenaltyFamily, addPenaltyTwin, spec, options));
  });
});
