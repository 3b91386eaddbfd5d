import test from 'node:test';
import fc from 'fast-check';
import { fillFamily } from '../../src/kernels/fill.ts';
import { fillTwin } from '../../src/kernels/simd/fill.ts';
import { check } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const values = fc.oneof(fc.constantFrom(0, -0, 1, 0.1, 1e-45, 3.4e38, Infinity, NaN), fc.double());

test('fill writes its value, rounded to f32, and nothing else', () => {
  check(fc.record({ value: values, length: fc.nat(40) }), 100, ({ value, length }) => {
    const options = { count: length, literals: { length } };
    const { output } = runKernel(fillFamily, { kind: 'fill', value }, {}, options);
    assertSameBits(output!, new Float32Array(length).fill(value));
  });
});

test('the twin of fill equals the scalar kernel for every length', () => {
  const cases = fc.record({ value: values, length: fc.nat(60), seed: fc.nat() });
  check(cases, 60, ({ value, length, seed }) => {
    assertTwin(fillFamily, fillTwin, { kind: 'fill', value }, { count: length, literals: { length }, seed });
  });
});
