import test from 'node:test';
import fc from 'fast-check';
import { type ScaleValuesSpec, scaleValuesFamily } from '../../src/kernels/scale-values.ts';
import { scaleValuesTwin } from '../../src/kernels/simd/scale-values.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const SPEC: ScaleValuesSpec = { kind: 'scaleValues' };

test('every value is multiplied and rounded once; a factor of 1 changes no bit', () => {
  const length = 37;
  const values = randomValues(3, length);
  values[5] = -0;
  const scaled = (factor: number) =>
    runKernel(scaleValuesFamily, SPEC, { values, factor: [factor] }, { count: length, literals: { length } })
      .values!;
  assertSameBits(
    scaled(0.3),
    values.map((x) => x * Math.fround(0.3)),
  );
  assertSameBits(scaled(1), values);
});

test('the twin of scaleValues equals the scalar kernel for every length', () => {
  check(fc.record({ length: fc.nat(50), seed: fc.nat() }), 60, ({ length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assertTwin(scaleValuesFamily, scaleValuesTwin, SPEC, options);
  });
});
