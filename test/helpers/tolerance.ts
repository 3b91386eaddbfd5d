/**
 * Error bounds of f32 sums, derived and without a factor of safety.
 *
 *   u = 2^-24, gamma(n) = n*u / (1 - n*u)
 *   |computed - exact| <= gamma(n) * S + n * 2^-149
 *
 * for any order of summation of n products, S the sum of their magnitudes (Higham, Accuracy and Stability
 * of Numerical Algorithms, section 3.1; the last term is underflow). A bias, a scale or a value added to
 * counts as one product more. Two f32 paths against each other: the sum of their bounds.
 *
 * The bound cannot see one dropped product once n is large: beyond 4,096 use exact integers (exact.ts).
 */
import assert from 'node:assert/strict';
import type { Values } from './oracle.ts';

/** u, the unit roundoff of f32. */
export const UNIT_ROUNDOFF = 2 ** -24;
/** Largest n for which the bound still tells something. */
export const MAX_BOUNDED_PRODUCTS = 4096;
const SMALLEST_SUBNORMAL = 2 ** -149;

/** n*u / (1 - n*u). */
export function gamma(n: number): number {
  assert.ok(n <= MAX_BOUNDED_PRODUCTS, `a bound over ${n} products says nothing: use exact integers`);
  return (n * UNIT_ROUNDOFF) / (1 - n * UNIT_ROUNDOFF);
}

/** The bound of each of a tensor's sums of n products; `magnitudes` holds their S. */
export function roundoffBounds(n: number, magnitudes: Values): Float64Array {
  return Float64Array.from(magnitudes, (s) => gamma(n) * s + n * SMALLEST_SUBNORMAL);
}

/** Sum of bounds, element by element. */
export function addBounds(...bounds: readonly Values[]): Float64Array {
  return Float64Array.from(bounds[0]!, (_, i) => bounds.reduce((sum, bound) => sum + bound[i]!, 0));
}

/**
 * Throws unless every |actual - expected| is within its bound; NaN must meet NaN, an infinity itself.
 * Returns the largest error/bound.
 */
export function assertWithin(actual: Values, expected: Values, bounds: Values, label = 'value'): number {
  assert.equal(actual.length, expected.length, `${label}: length`);
  assert.equal(bounds.length, expected.length, `${label}: number of bounds`);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    const error = Math.abs(actual[i]! - expected[i]!);
    const ratio = error === 0 ? 0 : error / bounds[i]!;
    assert.ok(
      ratio <= 1,
      `${label}[${i}]: expected ${expected[i]} within ${bounds[i]}, got ${actual[i]} (error/bound ${ratio})`,
    );
    worst = Math.max(worst, ratio);
  }
  return worst;
}

/** |actual - expected| / |expected|, both in the Euclidean norm. */
export function relativeL2(actual: Values, expected: Values): number {
  let error = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return size === 0 ? Math.sqrt(error) : Math.sqrt(error / size);
}
