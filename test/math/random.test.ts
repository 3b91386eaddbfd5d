import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { philox4x32 } from '../../src/math/philox.ts';
import {
  elementWord,
  elementWords,
  integerBelow,
  normal,
  permutation,
  randomWord,
  splitWords,
  streamKey,
  uniform,
} from '../../src/math/random.ts';

const key = streamKey(21, 'test');
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const seed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** Pearson's statistic against equal expectations. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Five standard deviations above the mean of a chi-square distribution. */
function chiSquareLimit(categories: number): number {
  const freedom = categories - 1;
  return freedom + 5 * Math.sqrt(2 * freedom);
}

test('splitWords takes every safe integer apart and loses nothing', () => {
  fc.assert(
    fc.property(seed, (value) => {
      const [low, high] = splitWords(value);
      assert.equal(high * 2 ** 32 + low, value);
      assert.ok(low >>> 0 === low && high >>> 0 === high);
    }),
    { numRuns: 300, seed: 21 },
  );
});

test('streamKey is deterministic, and its values are pinned for ever', () => {
  assert.deepEqual(streamKey(21, 'dropout', 'dropout_1'), streamKey(21, 'dropout', 'dropout_1'));
  assert.deepEqual(streamKey(0, ''), [4175744164, 1555169499]);
  assert.deepEqual(streamKey(Number.MAX_SAFE_INTEGER, 'shuffle', 'Größe'), [3329280136, 2804928001]);
});

test('streamKey tells apart seeds that differ in any bit, and texts cut or padded differently', () => {
  const keys = new Set<string>();
  const all: [number, string, string?][] = [
    [0, 'ab', 'c'],
    [0, 'a', 'bc'],
    [0, 'abc'],
    [0, 'abc', ''],
    [0, ''],
    [0, '', ''],
    [0, '\0'],
    [0, '\0\0'],
    [0, 'abcdefgh'],
    [0, 'abcdefgh\0'],
    [0, 'abcdefg', 'h'],
    [0, 'dropout', 'a'],
    [0, 'a', 'dropout'],
  ];
  for (let bit = 0; bit < 53; bit++) all.push([2 ** bit, 'abc']);
  for (const args of all) keys.add(streamKey(...args).join());
  assert.equal(keys.size, all.length);
});

test('streamKey and permutation refuse seeds, sizes and epochs that are not integers in range', () => {
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, Infinity]) {
    assert.throws(() => streamKey(bad, 'x'), ConfigError);
    assert.throws(() => permutation(key, 3, bad), ConfigError);
    assert.throws(() => permutation(key, bad, 0), ConfigError);
  }
  assert.throws(() => streamKey(1.5, 'x'), {
    message: 'streamKey: seed: expected an integer from 0 to 9007199254740991, got 1.5',
  });
});

test('randomWord and uniform read the Philox block at their address', () => {
  fc.assert(
    fc.property(u32, u32, u32, u32, (index, sample, low, high) => {
      const block = new Uint32Array(4);
      philox4x32(index, sample, low, high, key[0], key[1], block);
      const [first, second] = block as unknown as [number, number];
      assert.equal(randomWord(key, index, sample, low, high), first);
      const bits = (BigInt(first) >> 5n) * 2n ** 26n + (BigInt(second) >> 6n);
      assert.equal(uniform(key, index, sample, low, high), Number(bits) / 2 ** 53);
    }),
    { numRuns: 300, seed: 21 },
  );
  assert.equal(uniform(key, 7), uniform(key, 7, 0, 0, 0));
});

test('the element addressing is the documented one, and elementWords is elementWord of sixteen', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 28 - 1 }), u32, u32, u32, (group, sample, low, high) => {
      const words = new Uint32Array(16);
      elementWords(key, group, words, sample, low, high);
      const block = new Uint32Array(4);
      for (let e = 0; e < 16; e++) {
        philox4x32(group * 4 + (e % 4), sample, low, high, key[0], key[1], block);
        assert.equal(words[e], block[Math.floor(e / 4)]);
        assert.equal(elementWord(key, group * 16 + e, sample, low, high), words[e]);
      }
    }),
    { numRuns: 100, seed: 21 },
  );
});

test('uniform deviates fill [0, 1) evenly, neighbours and streams are uncorrelated', () => {
  const count = 40000;
  const cells = new Array<number>(64).fill(0);
  const other = streamKey(21, 'other');
  let products = 0;
  let crossed = 0;
  for (let i = 0; i < count; i++) {
    const u = uniform(key, i);
    assert.ok(u >= 0 && u < 1);
    cells[Math.floor(u * 8) * 8 + Math.floor(uniform(key, i, 1) * 8)]! += 1;
    products += (u - 0.5) * (uniform(key, i + 1) - 0.5);
    crossed += (u - 0.5) * (uniform(other, i) - 0.5);
  }
  assert.ok(chiSquare(cells) < chiSquareLimit(64), `chi-square ${chiSquare(cells)}`);
  const limit = (5 / 12) * Math.sqrt(count);
  assert.ok(Math.abs(products) < limit && Math.abs(crossed) < limit, `${products} ${crossed}`);
});

test('normal deviates have the moments and the quantiles of the standard normal', () => {
  const count = 40000;
  const moments = [0, 0, 0, 0];
  // Probabilities of the cells cut at -2, -1, 0, 1, 2.
  const expected = [0.0227501, 0.1359051, 0.3413447, 0.3413447, 0.1359051, 0.0227501];
  const cells = new Array<number>(6).fill(0);
  for (let i = 0; i < count; i++) {
    const z = normal(key, i, 5, 6, 7);
    for (let power = 1; power <= 4; power++) moments[power - 1]! += z ** power / count;
    cells[Math.min(5, Math.max(0, Math.floor(z) + 3))]! += 1;
  }
  // Five standard errors: Var z^k = 1, 2, 15, 96.
  [0, 1, 0, 3].forEach((moment, i) => {
    const limit = 5 * Math.sqrt([1, 2, 15, 96][i]! / count);
    assert.ok(Math.abs(moments[i]! - moment) < limit, `moment ${i + 1}: ${moments[i]}`);
  });
  const statistic = cells.reduce((sum, n, i) => {
    const mean = expected[i]! * count;
    return sum + (n - mean) ** 2 / mean;
  }, 0);
  assert.ok(statistic < chiSquareLimit(6), `chi-square ${statistic}`);
});

test('integerBelow is unbiased where a plain remainder would favour small values', () => {
  const bound = 3 * 2 ** 30;
  const cells = new Array<number>(3).fill(0);
  for (let i = 0; i < 30000; i++) cells[Math.floor(integerBelow(key, bound, i) / 2 ** 30)]! += 1;
  assert.ok(chiSquare(cells) < chiSquareLimit(3), `chi-square ${chiSquare(cells)}`);
  assert.equal(integerBelow(key, 2 ** 32, 9), randomWord(key, 9));
  assert.equal(integerBelow(key, 1, 9), 0);
});

test('a permutation holds every index once and depends on key, size and epoch alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), seed, seed, (size, epoch, otherEpoch) => {
      const order = permutation(key, size, epoch);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        Array.from({ length: size }, (_, i) => i),
      );
      permutation(key, size, otherEpoch);
      assert.deepEqual(permutation(key, size, epoch), order);
    }),
    { numRuns: 100, seed: 21 },
  );
  const reference = permutation(key, 100, 0).join();
  assert.notEqual(permutation(key, 100, 1).join(), reference);
  assert.notEqual(permutation(key, 100, 2 ** 32).join(), reference);
  assert.notEqual(permutation(streamKey(22, 'test'), 100, 0).join(), reference);
  assert.deepEqual([...permutation(key, 10, 0)], [2, 1, 8, 5, 0, 6, 4, 9, 7, 3]);
});

test('all 24 orders of four come up equally often over the epochs', () => {
  const counts = new Map<string, number>();
  for (let epoch = 0; epoch < 24000; epoch++) {
    const order = permutation(key, 4, epoch).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  const statistic = chiSquare([...counts.values()]);
  assert.ok(statistic < chiSquareLimit(24), `chi-square ${statistic}`);
});
