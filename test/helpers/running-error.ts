/**
 * Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, section 3.3): numbers in f64
 * that carry a bound of how far the same computation in f32 may be from them. Each operation adds what its
 * operands' errors make of the result, and its own rounding.
 */
import assert from 'node:assert/strict';
import { UNIT_ROUNDOFF } from './tolerance.ts';

/** The exact value (to f64), and the largest distance of its f32 counterpart. */
export interface Bounded {
  readonly value: number;
  readonly error: number;
}

const SMALLEST_SUBNORMAL = 2 ** -149;
const F64_ROUNDOFF = 2 ** -53;

/** A number that f32 holds exactly. */
export function exactly(value: number): Bounded {
  assert.ok(Object.is(Math.fround(value), value), `${value} is not an f32`);
  return { value, error: 0 };
}

/** A number that is rounded to f32. */
export function rounded(value: number): Bounded {
  return withRounding(value, 0);
}

export function add(a: Bounded, b: Bounded): Bounded {
  return withRounding(a.value + b.value, a.error + b.error);
}

export function subtract(a: Bounded, b: Bounded): Bounded {
  return withRounding(a.value - b.value, a.error + b.error);
}

export function multiply(a: Bounded, b: Bounded): Bounded {
  const error = Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error;
  return withRounding(a.value * b.value, error);
}

export function divide(a: Bounded, b: Bounded): Bounded {
  const value = a.value / b.value;
  assert.ok(b.error < Math.abs(b.value), 'a divisor whose error may hide a zero');
  return withRounding(value, (a.error + Math.abs(value) * b.error) / (Math.abs(b.value) - b.error));
}

/** The root of a number that is not negative, in f32 neither. */
export function root(a: Bounded): Bounded {
  const value = Math.sqrt(a.value);
  // |sqrt(a + e) - sqrt(a)| <= sqrt(|e|), and <= |e| / sqrt(a).
  return withRounding(value, a.error === 0 ? 0 : Math.min(Math.sqrt(a.error), a.error / value));
}

/** Throws unless an f32 result is where its bound allows. Returns error/bound. */
export function assertBounded(actual: number, expected: Bounded, label: string): number {
  const distance = Math.abs(actual - expected.value);
  assert.ok(
    distance <= expected.error,
    `${label}: expected ${expected.value} within ${expected.error}, got ${actual}`,
  );
  return distance === 0 ? 0 : distance / expected.error;
}

function withRounding(value: number, error: number): Bounded {
  const size = Math.abs(value) + error;
  return { value, error: error + (UNIT_ROUNDOFF + F64_ROUNDOFF) * size + SMALLEST_SUBNORMAL };
}
