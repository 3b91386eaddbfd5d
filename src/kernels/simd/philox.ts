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
  /** The key's two words in all lanes; the rounds leave them as they are. */
  readonly key: readonly [Local, Local];
  readonly multipliers: readonly [Local, Local];
  readonly weyl: readonly [Local, Local];
}

/**
 * Declares the locals of a generator and sets its constants; emit it before the loop. Constants come from
 * splats because V8 builds a v128.const anew at every use (measured: half of the rounds' time).
 */
export function philoxState(b: FunctionBuilder): PhiloxState {
  const splat = (value: number, name: string): Local => {
    const local = b.local('v128', name);
    b.i32(value).op('i32x4.splat').set(local);
    return local;
  };
  return {
    words: b.localArray('v128', 4, 'word') as [Local, Local, Local, Local],
    key: b.localArray('v128', 2, 'key') as [Local, Local],
    multipliers: [splat(PHILOX.multiplier0, 'multiplier0'), splat(PHILOX.multiplier1, 'multiplier1')],
    weyl: [splat(PHILOX.weyl0, 'weyl0'), splat(PHILOX.weyl1, 'weyl1')],
  };
}

/** Declares the temporaries of the rounds and returns what emits the ten rounds: words = block(words, key). */
export function philoxRounds(b: FunctionBuilder, state: PhiloxState): () => void {
  const { words, key, multipliers, weyl } = state;
  const [c0, c1, c2, c3] = words;
  const products = b.localArray('v128', 4, 'product') as [Local, Local, Local, Local];
  const keys = b.localArray('v128', 2, 'roundKey') as [Local, Local];
  const [p0, q0, p1, q1] = products;
  return () => {
    for (let round = 0; round < PHILOX.rounds; round++) {
      for (const i of [0, 1] as const) {
        if (round === 0) b.get(key[i]);
        else b.get(keys[i]).get(weyl[i]).op('i32x4.add');
        b.set(keys[i]);
      }
      multiply(b, c0, multipliers[0], p0, q0);
      multiply(b, c2, multipliers[1], p1, q1);
      pushHigh(b, p1, q1);
      b.get(c1).op('v128.xor').get(keys[0]).op('v128.xor').set(c0);
      pushLow(b, p1, q1);
      b.set(c1);
      pushHigh(b, p0, q0);
      b.get(c3).op('v128.xor').get(keys[1]).op('v128.xor').set(c2);
      pushLow(b, p0, q0);
      b.set(c3);
    }
  };
}

/** The four unsigned 64-bit products of `word`'s lanes: those of lanes 0 and 1, and of 2 and 3. */
function multiply(b: FunctionBuilder, word: Local, factor: Local, lower: Local, upper: Local): void {
  b.get(word).get(factor).op('i64x2.extmul_low_i32x4_u').set(lower);
  b.get(word).get(factor).op('i64x2.extmul_high_i32x4_u').set(upper);
}

function pushLow(b: FunctionBuilder, lower: Local, upper: Local): void {
  b.get(lower).get(upper).shuffleLanes([0, 2, 4, 6]);
}

function pushHigh(b: FunctionBuilder, lower: Local, upper: Local): void {
  b.get(lower).get(upper).shuffleLanes([1, 3, 5, 7]);
}
