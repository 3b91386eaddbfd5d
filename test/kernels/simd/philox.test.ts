import test from 'node:test';
import fc from 'fast-check';
import { assembleModule, FunctionBuilder } from '../../../src/kernels/simd/assembler/index.ts';
import { philoxRounds, philoxState } from '../../../src/kernels/simd/philox.ts';
import { philox4x32 } from '../../../src/math/philox.ts';
import { check } from '../../helpers/arbitraries.ts';
import { assertSameBits } from '../../helpers/exact.ts';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });

/** (at): reads four counters, word by word, and the key's two words, each in four lanes; writes the blocks back. */
function blocksFunction(): FunctionBuilder {
  const b = new FunctionBuilder('blocks', [['at', 'i32']]);
  const at = b.param('at');
  const state = philoxState(b);
  const emitRounds = philoxRounds(b, state);
  [...state.words, ...state.key].forEach((local, i) => {
    b.get(at)
      .memory('v128.load', 16 * i)
      .set(local);
  });
  emitRounds();
  [...state.words, ...state.key].forEach((local, i) => {
    b.get(at)
      .get(local)
      .memory('v128.store', 16 * i);
  });
  return b;
}

test('four blocks in lanes equal math/philox.ts, and the key is left as it was', () => {
  const module = new WebAssembly.Module(assembleModule([blocksFunction()]));
  const blocks = new WebAssembly.Instance(module, { env: { memory } }).exports['0'] as (at: number) => void;
  const counters = fc.array(fc.tuple(word, word, word, word), { minLength: 4, maxLength: 4 });
  check(fc.tuple(counters, word, word), 300, ([lanes, key0, key1]) => {
    const values = new Int32Array(memory.buffer, 32, 24);
    const expected = new Int32Array(24);
    for (const array of [values, expected]) array.fill(key0, 16, 20).fill(key1, 20, 24);
    const block = new Int32Array(4);
    lanes.forEach((counter, lane) => {
      philox4x32(...counter, key0, key1, block);
      for (let i = 0; i < 4; i++) {
        values[4 * i + lane] = counter[i]!;
        expected[4 * i + lane] = block[i]!;
      }
    });
    blocks(32);
    assertSameBits(values, expected);
  });
});
