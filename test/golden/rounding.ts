/**
 * Running error bounds: a number as an exact computation has it, and how far an f32 computation of the same
 * operations can be from it (Higham, Accuracy and Stability of Numerical Algorithms, section 3.3).
 *
 * Every operation propagates the errors of its operands and adds u*|result| + 2^-150 for its own rounding.
 */
const UNIT_ROUNDOFF = 2 ** -24;
const HALF_SUBNORMAL = 2 ** -150;

/** |f32 - value| <= error. */
export interface Rounded {
  readonly value: number;
  readonly error: number;
}

/** A number that f32 holds exactly. */
export function exact(value: number): Rounded {
  return { value, error: 0 };
}

/** The nearest f32 to `value`. */
export function nearest(value: number): Rounded {
  return rounded(value, 0);
}

export function add(a: Rounded, b: Rounded): Rounded {
  return rounded(a.value + b.value, a.error + b.error);
}

export function subtract(a: Rounded, b: Rounded): Rounded {
  return rounded(a.value - b.value, a.error + b.error);
}

export function multiply(a: Rounded, b: Rounded): Rounded {
  const error = Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error;
  return rounded(a.value * b.value, error);
}

/** Needs a divisor that cannot be 0. */
export function divide(a: Rounded, b: Rounded): Rounded {
  const quotient = a.value / b.value;
  const error = (a.error + Math.abs(quotient) * b.error) / (Math.abs(b.value) - b.error);
  return rounded(quotient, error);
}

/** Needs a value >= 0; the f32 operand is >= 0 too. */
export function squareRoot(a: Rounded): Rounded {
  const root = Math.sqrt(a.value);
  const low = Math.sqrt(Math.max(0, a.value - a.error));
  return rounded(root, Math.max(Math.sqrt(a.value + a.error) - root, root - low));
}

/** One rounding to f32 of a number already off by `error`. */
export function rounded(value: number, error: number): Rounded {
  return { value, error: error + UNIT_ROUNDOFF * (Math.abs(value) + error) + HALF_SUBNORMAL };
}
