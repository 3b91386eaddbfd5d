/**
 * Comparisons without tolerance, and the exact mode: with small integers, n*X*W <= 2^24, every product and
 * every partial sum of a contraction is an integer that f32 holds exactly, in whatever order.
 */
import assert from 'node:assert/strict';
import { randomIntegers } from './arbitraries.ts';
import type { Values } from './oracle.ts';

/** Largest m such that n products of integers up to m in magnitude stay exact in f32. */
export function exactMagnitude(n: number, most = 100): number {
  const magnitude = Math.min(most, Math.floor(Math.sqrt(2 ** 24 / n)));
  assert.ok(magnitude >= 1, `${n} products have no exact mode`);
  return magnitude;
}

/** Integers for a contraction of n products, exact in f32. */
export function exactIntegers(seed: number, length: number, n: number): Float32Array {
  return randomIntegers(seed, length, exactMagnitude(n));
}

/** Throws unless all bits are equal; NaN equals NaN. */
export function assertSameBits(actual: Values, expected: Values, label = 'value'): void {
  compare(actual, expected, Object.is, label);
}

/** Throws unless all values are equal: as `assertSameBits`, but +0 equals -0. */
export function assertSameValues(actual: Values, expected: Values, label = 'value'): void {
  compare(actual, expected, (a, b) => a === b || Object.is(a, b), label);
}

function compare(
  actual: Values,
  expected: Values,
  same: (a: number, b: number) => boolean,
  label: string,
): void {
  assert.equal(actual.length, expected.length, `${label}: length`);
  for (let i = 0; i < expected.length; i++) {
    if (same(actual[i]!, expected[i]!)) continue;
    assert.fail(`${label}[${i}]: expected ${print(expected[i]!)}, got ${print(actual[i]!)}`);
  }
}

function print(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
