import test from 'node:test';
import fc from 'fast-check';
import { type ClampValuesSpec, clampValuesFamily } from '../../src/kernels/clamp-values.ts';
import { clampValuesTwin } from '../../src/kernels/simd/clamp-values.ts';
import { check } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

test('what lies outside becomes the limit; all else stays as it is, bit for bit', () => {
  const limit = Math.fround(0.1);
  const values = Float32Array.of(0.2, -0.2, limit, -limit, 0.05, -0, 0, Infinity, -Infinity, Number.NaN);
  const spec: ClampValuesSpec = { kind: 'clampValues', limit: 0.1 };
  const { length } = values;
  const results = runKernel(clampValuesFamily, spec, { values }, { count: length, literals: { length } });
  const expected = [limit, -limit, limit, -limit, Math.fround(0.05), -0, 0, limit, -limit, Number.NaN];
  assertSameBits(results.values!, expected);
});

test('the twin of clampValues equals the scalar kernel for every length', () => {
  const cases = fc.record({ length: fc.nat(50), seed: fc.nat(), limit: fc.constantFrom(0.1, 1, 1e-40) });
  check(cases, 60, ({ length, seed, limit }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assertTwin(clampValuesFamily, clampValuesTwin, { kind: 'clampValues', limit }, options);
  });
});
