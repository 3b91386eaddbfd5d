import test from 'node:test';
import { assembleModule } from '../../../src/kernels/simd/assembler/index.ts';
import { expFunction } from '../../../src/kernels/simd/exp.ts';
import { exp } from '../../../src/math/exp.ts';
import { uniforms } from '../../helpers/arbitraries.ts';
import { assertSameBits } from '../../helpers/exact.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
const module = new WebAssembly.Module(assembleModule([expFunction()]));
const emitted = new WebAssembly.Instance(module, { env: { memory } }).exports['0'] as (x: number) => number;

test('the emitted e^x equals math/exp.ts bit for bit', () => {
  const next = uniforms(21);
  const arguments_ = [0, -0, NaN, Infinity, -Infinity, 710, 709.79, -746, -745.14, -708.4, 5e-324, 1e308];
  for (let i = 0; i < 20_000; i++) arguments_.push((next() * 2 - 1) * 800, next() - 0.5, 2 ** (-60 * next()));
  // Halfway between two multiples of ln 2, where k changes.
  for (let k = -1100; k <= 1100; k++) arguments_.push((k + 0.5) * Math.LN2, k * Math.LN2);
  assertSameBits(arguments_.map(emitted), arguments_.map(exp), 'exp');
});
