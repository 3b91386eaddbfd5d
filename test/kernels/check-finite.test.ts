import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type CheckFiniteSpec, checkFiniteFamily } from '../../src/kernels/check-finite.ts';
import type { Heap } from '../../src/kernels/kernel.ts';
import { checkFiniteTwin } from '../../src/kernels/simd/check-finite.ts';
import { check } from '../helpers/arbitraries.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const F32: CheckFiniteSpec = { kind: 'checkFinite', type: 'f32' };
const F64: CheckFiniteSpec = { kind: 'checkFinite', type: 'f64' };
/** The largest f32 whose square is finite, rounded to nearest, and its successor. */
const LARGEST = 18446742974197924000;
const NEXT = 18446744073709552000;
const FINITE = [0, -0, LARGEST, -LARGEST, 1e-45, -1e-45, 1];
const BAD = [Number.NaN, Infinity, -Infinity, NEXT, -3.4e38];

function verdict(spec: CheckFiniteSpec, values: Float32Array | Float64Array): number {
  const { length } = values;
  const results = runKernel(checkFiniteFamily, spec, { values }, { count: length, literals: { length } });
  return results.verdict![0]!;
}

test('every value whose square is not finite is found at every place, and no other is taken for one', () => {
  for (let length = 0; length < 27; length++) {
    const finite = Float32Array.from({ length }, (_, i) => FINITE[i % FINITE.length]!);
    assert.equal(verdict(F32, finite), 0);
    for (let at = 0; at < length; at++) {
      for (const bad of BAD) assert.equal(verdict(F32, finite.with(at, bad)), 1);
    }
  }
});

test('in f64 values may be larger', () => {
  assert.equal(verdict(F64, Float64Array.of(1e154, -1e154, 5e-324, ...BAD.slice(3))), 0);
  for (const bad of [...BAD.slice(0, 3), 1e155]) assert.equal(verdict(F64, Float64Array.of(1, bad)), 1);
});

test('the twin finds what the scalar kernel finds, in every lane', () => {
  const cases = fc.record({ count: fc.nat(70), seed: fc.nat(), specials: fc.boolean() });
  check(cases, 200, ({ count, ...options }) => {
    const literals = { length: count };
    assert.ok(assertTwin(checkFiniteFamily, checkFiniteTwin, F32, { ...options, count, literals }));
  });
});

test('the twin finds a single bad value at every place, and none where there is none', () => {
  const count = 45;
  for (let at = 0; at <= count; at++) {
    for (const [i, bad] of BAD.entries()) {
      const fill = (name: string, heap: Heap, from: number) => {
        if (name === 'values' && at < count) heap.f32[from + at] = bad;
      };
      const options = { count, seed: 3 * at + i, literals: { length: count }, fill };
      assert.ok(assertTwin(checkFiniteFamily, checkFiniteTwin, F32, options));
    }
  }
});
