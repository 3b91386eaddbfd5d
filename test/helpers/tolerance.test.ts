/** The comparisons fail where they must. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertSameBits, assertSameValues, exactMagnitude } from './exact.ts';
import { addBounds, assertWithin, gamma, relativeL2, roundoffBounds, UNIT_ROUNDOFF } from './tolerance.ts';

describe('tolerance', () => {
  it('is gamma(n) * S + n * 2^-149', () => {
    assert.equal(gamma(1), UNIT_ROUNDOFF / (1 - UNIT_ROUNDOFF));
    assert.ok(gamma(3) > 3 * UNIT_ROUNDOFF);
    assert.deepEqual([...roundoffBounds(2, [5, 0])], [gamma(2) * 5 + 2 ** -148, 2 ** -148]);
    assert.deepEqual([...addBounds([1, 2], [3, 4])], [4, 6]);
  });

  it('refuses sums too long for it to see a dropped product', () => {
    gamma(4096);
    assert.throws(() => gamma(4097), /use exact integers/);
  });

  it('gives the largest error/bound, and fails beyond 1', () => {
    assert.equal(assertWithin([1, 2.5, 4], [1, 2, 3], [1, 1, 2]), 0.5);
    assert.throws(
      () => assertWithin([1, 2.5], [1, 2], [1, 0.25]),
      /value\[1\]: expected 2 within 0.25, got 2.5/,
    );
    assert.throws(() => assertWithin([1], [1, 2], [1, 1]), /length/);
  });

  it('lets NaN and infinities meet only themselves', () => {
    const all = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
    for (const actual of all) {
      for (const expected of all) {
        if (Object.is(actual, expected)) assert.equal(assertWithin([actual], [expected], [Number.NaN]), 0);
        else assert.throws(() => assertWithin([actual], [expected], [1e300]));
      }
    }
  });

  it('compares bits and values without tolerance', () => {
    assertSameBits([0, Number.NaN], [0, Number.NaN]);
    assertSameValues([0, Number.NaN], [-0, Number.NaN]);
    assert.throws(() => assertSameBits([0], [-0]), /value\[0\]: expected -0, got 0/);
    assert.throws(() => assertSameValues([1], [1 + 2 ** -23]));
    assert.throws(() => assertSameBits([], [1]), /length/);
  });

  it('measures the relative L2 error', () => {
    assert.equal(relativeL2([3, 4], [0, 4]), 0.75);
    assert.equal(relativeL2([0], [0]), 0);
  });

  it('keeps n products of exact integers within 2^24', () => {
    for (const n of [1, 100, 5000, 2 ** 20]) assert.ok(n * exactMagnitude(n, 1e9) ** 2 <= 2 ** 24);
    assert.throws(() => exactMagnitude(2 ** 25), /no exact mode/);
  });
});
