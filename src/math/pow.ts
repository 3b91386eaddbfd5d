/**
 * x^y in f64: e^(y ln |x|) with the logarithm to about 2^-68 of itself, since its error is multiplied by
 * up to 745. |x| = 2^k m as in log.ts, s = (m - 1)/(m + 1) as a double-double, ln m = 2 atanh(s) by
 * Taylor up to s^25/25, the first three terms in double-double.
 */
import { powerOfTwo } from './bits.ts';
import { add, type DoubleDouble, fastTwoSum, multiply, twoProduct } from './double-double.ts';
import { EXP_HIGHEST, EXP_LOWEST, expOfSum, LN2_HIGH, LN2_LOW } from './exp.ts';
import { binaryExponent, mantissa } from './log.ts';

const THIRD: DoubleDouble = [0.3333333333333333, 1.850371707708594e-17];
const FIFTH: DoubleDouble = [0.2, -1.1102230246251566e-17];

const SMALLEST_NORMAL = powerOfTwo(-1022);

/** ln x for a positive finite x. */
function logarithm(x: number): DoubleDouble {
  const shift = x < SMALLEST_NORMAL ? 54 : 0;
  const scaled = x * powerOfTwo(shift);
  const exponent = binaryExponent(scaled);
  const k = exponent - shift;
  const f = mantissa(scaled, exponent) - 1;
  const divisor = fastTwoSum(2, f);
  const quotient = f / divisor[0];
  const product = twoProduct(quotient, divisor[0]);
  const s: DoubleDouble = [quotient, (f - product[0] - product[1] - quotient * divisor[1]) / divisor[0]];
  const z = multiply(s, s);
  let series = 0;
  for (let n = 25; n >= 7; n -= 2) series = 1 / n + z[0] * series;
  let correction = add(FIFTH, multiply(z, [series, 0]));
  correction = multiply(z, add(THIRD, multiply(z, correction)));
  const half = add(s, multiply(s, correction));
  const scale = fastTwoSum(k * LN2_HIGH, k * LN2_LOW);
  return add(scale, [2 * half[0], 2 * half[1]]);
}

/** x^y for a positive finite x and a finite y other than 0. */
function positivePower(x: number, y: number): number {
  if (x === 1) return 1;
  const base = logarithm(x);
  const estimate = y * base[0];
  if (estimate > 720) return Infinity;
  if (estimate < -760) return 0;
  const exponent = twoProduct(y, base[0]);
  const [high, low] = fastTwoSum(exponent[0], exponent[1] + y * base[1]);
  // The clamp is exp's own: an exponent between it and the limits above gives Infinity or 0 all the same.
  return expOfSum(Math.min(Math.max(high, EXP_LOWEST), EXP_HIGHEST), low);
}

/**
 * x^y, within 0.7 ULP (measured). Special values as ECMAScript's `**`: x^0 = 1 even for NaN,
 * (+-1)^(+-Infinity) = NaN, a negative x needs a whole y.
 */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const magnitude = Math.abs(x);
  if (Math.abs(y) === Infinity) {
    if (magnitude === 1) return Number.NaN;
    return magnitude > 1 === y > 0 ? Infinity : 0;
  }
  const negative = x < 0 || Object.is(x, -0);
  const odd = negative && isOdd(y);
  let result: number;
  if (magnitude === 0 || magnitude === Infinity) result = (magnitude === 0) === y > 0 ? 0 : Infinity;
  else if (negative && !Number.isInteger(y)) return Number.NaN;
  else result = positivePower(magnitude, y);
  return odd ? -result : result;
}

function isOdd(y: number): boolean {
  return Math.abs(y % 2) === 1;
}
