import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { add, fastTwoSum, multiply, twoProduct, twoSum } from '../../src/math/double-double.ts';

/** An integer multiple of 2^-600, as a big integer: exact for the domain below. */
function exact(x: number): bigint {
  const high = Math.trunc(x);
  return BigInt(high) * 2n ** 600n + BigInt((x - high) * 2 ** 300 * 2 ** 300);
}

const value = fc
  .tuple(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), fc.integer({ min: -120, max: 40 }))
  .map(([fraction, exponent]) => fraction * 2 ** exponent);

test('twoSum, fastTwoSum and twoProduct lose nothing, and their high part is the rounded result', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [sum, lost] = twoSum(a, b);
      assert.equal(sum, a + b);
      assert.equal(exact(sum) + exact(lost), exact(a) + exact(b));
      const [larger, smaller] = Math.abs(a) >= Math.abs(b) ? [a, b] : [b, a];
      assert.deepEqual(fastTwoSum(larger, smaller).map(exact), [sum, lost].map(exact));
      const [product, rest] = twoProduct(a, b);
      assert.equal(product, a * b);
      assert.equal((exact(product) + exact(rest)) * 2n ** 600n, exact(a) * exact(b));
    }),
    { numRuns: 2000, seed: 21 },
  );
});

test('add and multiply of double-doubles keep 100 bits', () => {
  const pair = fc
    .tuple(value, fc.integer({ min: -(2 ** 26), max: 2 ** 26 }))
    .map(([high, part]) => fastTwoSum(high, high * part * 2 ** -80));
  const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);
  fc.assert(
    fc.property(pair, pair, (a, b) => {
      const [exactA, exactB] = [exact(a[0]) + exact(a[1]), exact(b[0]) + exact(b[1])];
      const sum = add(a, b);
      const offSum = magnitude(exact(sum[0]) + exact(sum[1]) - exactA - exactB);
      assert.ok(offSum * 2n ** 100n <= magnitude(exactA) + magnitude(exactB));
      const product = multiply(a, b);
      const offProduct = magnitude((exact(product[0]) + exact(product[1])) * 2n ** 600n - exactA * exactB);
      assert.ok(offProduct * 2n ** 100n <= magnitude(exactA * exactB));
    }),
    { numRuns: 2000, seed: 21 },
  );
});
