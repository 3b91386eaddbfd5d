/**
 * Philox4x32-10 (math/philox.ts) on four blocks at once: lane i of the four words is one block's counter
 * before, and its random words after. Each vector of words then holds four neighbouring elements, in order
 * (the element addressing of math/random.ts).
 */
import { PHILOX } from '../../math/philox.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';

/** A generator's locals (v128) while it is emitted. */
export interface PhiloxState {
  /** The counter's four words; after the rounds, the block's. */
  readonly words: readonly [Local, Local, Local, Local];
  /** The key's two words in all lanes; restored after the rounds. */
  readonly key: readonly [Local, Local];
}

/** Declares the locals of a generator. */
export function philoxState(b: FunctionBuilder): PhiloxState {
  return {
    words: b.localArray('v128', 4, 'word') as [Local, Local, Local, Local],
    key: b.localArray('v128', 2, 'key') as [Local, Local],
  };
}

/** Declares the temporaries of the rounds and returns what emits the ten rounds: words = block(words, key). */
export function philoxRounds(b: FunctionBuilder, { words, key }: PhiloxState): () => void {
  const [c0, c1, c2, c3] = words;
  const products = b.localArray('v128', 4, 'product') as [Local, Local, Local, Local];
  const keys = b.localArray('v128', 2, 'roundKey') as [Local, Local];
  const [p0, q0, p1, q1] = products;
  return () => {
    b.get(key[0]).set(keys[0]).get(key[1]).set(keys[1]);
    for (let round = 0; round < PHILOX.rounds; round++) {
      multiply(b, c0, PHILOX.multiplier0, p0, q0);
      multiply(b, c2, PHILOX.multiplier1, p1, q1);
      pushHigh(b, p1, q1);
      b.get(c1).op('v128.xor').get(keys[0]).op('v128.xor').set(c0);
      pushLow(b, p1, q1);
      b.set(c1);
      pushHigh(b, p0, q0);
      b.get(c3).op('v128.xor').get(keys[1]).op('v128.xor').set(c2);
      pushLow(b, p0, q0);
      b.set(c3);
      bump(b, keys[0], PHILOX.weyl0);
      bump(b, keys[1], PHILOX.weyl1);
    }
  };
}

/** The four unsigned 64-bit products of `word`'s lanes: those of lanes 0 and 1, and of 2 and 3. */
function multiply(b: FunctionBuilder, word: Local, factor: number, lower: Local, upper: Local): void {
  const splat = [factor, factor, factor, factor] as const;
  b.get(word).i32x4(splat).op('i64x2.extmul_low_i32x4_u').set(lower);
  b.get(word).i32x4(splat).op('i64x2.extmul_high_i32x4_u').set(upper);
}

function pushLow(b: FunctionBuilder, lower: Local, upper: Local): void {
  b.get(lower).get(upper).shuffleLanes([0, 2, 4, 6]);
}

function pushHigh(b: FunctionBuilder, lower: Local, upper: Local): void {
  b.get(lower).get(upper).shuffleLanes([1, 3, 5, 7]);
}

function bump(b: FunctionBuilder, key: Local, by: number): void {
  b.get(key).i32x4([by, by, by, by]).op('i32x4.add').set(key);
}
