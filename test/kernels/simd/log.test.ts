import test from 'node:test';
import fc from 'fast-check';
import { assembleModule } from '../../../src/kernels/simd/assembler/index.ts';
import { logFunction } from '../../../src/kernels/simd/log.ts';
import { log } from '../../../src/math/log.ts';
import { check, uniforms } from '../../helpers/arbitraries.ts';
import { assertSameBits } from '../../helpers/exact.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
const module = new WebAssembly.Module(assembleModule([logFunction()]));
const emitted = new WebAssembly.Instance(module, { env: { memory } }).exports['0'] as (x: number) => number;

test('the emitted log has the bits of math/log at zeros, infinities, NaN, subnormals and the ends of the range', () => {
  const ends = [
    0,
    -0,
    1,
    -1,
    5e-324,
    2 ** -1022,
    Number.MAX_VALUE,
    Infinity,
    -Infinity,
    NaN,
    2 ** -1023,
    -5e-324,
  ];
  const around = [0.5, Math.SQRT1_2, 1, Math.SQRT2, 2].flatMap((x) => [
    x * (1 - 2 ** -53),
    x,
    x * (1 + 2 ** -52),
  ]);
  const xs = [...ends, ...around];
  assertSameBits(xs.map(emitted), xs.map(log));
});

test('the emitted log has the bits of math/log for any double', () => {
  check(fc.double(), 2000, (x) =>
    assertSameBits([emitted(x), emitted(Math.abs(x))], [log(x), log(Math.abs(x))]),
  );
  const random = uniforms(21);
  const xs = Array.from({ length: 20_000 }, () => 1 + random() * 10 ** (3 * random()));
  assertSameBits(xs.map(emitted), xs.map(log));
});
