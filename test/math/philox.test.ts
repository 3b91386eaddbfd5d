import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { mulHigh, philox4x32 } from '../../src/math/philox.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

// From the known-answer file (kat_vectors) of Random123, the authors' own implementation.
const knownAnswers = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const;

function parse(words: string): number[] {
  return words.split(' ').map((word) => Number.parseInt(word, 16));
}

test('Philox4x32-10 gives the published known answers, at any place of the output', () => {
  for (const [counter, key, expected] of knownAnswers) {
    const [c0, c1, c2, c3] = parse(counter) as [number, number, number, number];
    const [k0, k1] = parse(key) as [number, number];
    const out = new Uint32Array(6);
    philox4x32(c0, c1, c2, c3, k0, k1, out, 1);
    assert.deepEqual([...out], [0, ...parse(expected), 0]);
    const signed = new Int32Array(4);
    philox4x32(c0 | 0, c1 | 0, c2 | 0, c3 | 0, k0 | 0, k1 | 0, signed);
    assert.deepEqual([...new Uint32Array(signed.buffer)], parse(expected));
  }
});

test('mulHigh is the upper half of the exact 64-bit product', () => {
  const edges = fc.constantFrom(0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff);
  const word = fc.oneof(u32, edges);
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(mulHigh(a, b) >>> 0, Number((BigInt(a) * BigInt(b)) >> 32n));
    }),
    { numRuns: 2000, seed: 21 },
  );
});

test('flipping any bit of counter or key changes about half of the 128 output bits', () => {
  const base = parse('243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0');
  const block = (words: number[]): Uint32Array => {
    const [c0, c1, c2, c3, k0, k1] = words as [number, number, number, number, number, number];
    const out = new Uint32Array(4);
    philox4x32(c0, c1, c2, c3, k0, k1, out);
    return out;
  };
  const reference = block(base);
  for (let bit = 0; bit < 192; bit++) {
    const flipped = base.map((word, i) => (i === bit >>> 5 ? word ^ (1 << (bit & 31)) : word));
    let changed = 0;
    block(flipped).forEach((word, i) => {
      for (let difference = (word ^ reference[i]!) >>> 0; difference > 0; difference >>>= 1) {
        changed += difference & 1;
      }
    });
    // 64 +- 5.3 standard deviations of a binomial with 128 trials.
    assert.ok(changed > 34 && changed < 94, `bit ${bit}: ${changed} of 128 changed`);
  }
});
