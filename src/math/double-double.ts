/**
 * Sums and products of doubles without error, and numbers of about 106 bits as unevaluated sums
 * [high, low] with |low| <= ulp(high)/2 (Dekker, "A floating-point technique for extending the available
 * precision", 1971). Intermediates must neither overflow nor underflow.
 */

/** high + low. */
export type DoubleDouble = readonly [high: number, low: number];

/** Veltkamp's splitter, 2^27 + 1. */
const SPLITTER = 134217729;

/** a + b exactly, for |a| >= |b| or a = 0. */
export function fastTwoSum(a: number, b: number): DoubleDouble {
  const sum = a + b;
  return [sum, b - (sum - a)];
}

/** a + b exactly (Knuth). */
export function twoSum(a: number, b: number): DoubleDouble {
  const sum = a + b;
  const bPart = sum - a;
  return [sum, a - (sum - bPart) + (b - bPart)];
}

/** a * b exactly, for |a|, |b| below 2^996. */
export function twoProduct(a: number, b: number): DoubleDouble {
  const product = a * b;
  const aBig = SPLITTER * a;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = SPLITTER * b;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return [product, aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)];
}

/** a + b to about 2^-104 of |a| + |b|. */
export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const [high, low] = twoSum(a[0], b[0]);
  return fastTwoSum(high, low + (a[1] + b[1]));
}

/** a * b to about 2^-102 of it. */
export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const [high, low] = twoProduct(a[0], b[0]);
  return fastTwoSum(high, low + (a[0] * b[1] + a[1] * b[0]));
}
