/**
 * e^x and e^x - 1 in f64.
 *
 * x = k ln 2 + r with |r| <= ln 2 / 2, ln 2 split in two (Cody, Waite 1980) so that k * ln2High is exact;
 * e^r = 1 + r + p(r), p by the Taylor series up to r^13/13! (truncation below 2^-57 of the result), and
 * the rounding of 1 + r is kept and added back. Scaling by 2^k takes two factors, so that results may be
 * subnormal or overflow without a branch.
 *
 * Every step is one WebAssembly instruction or a few, with the same bits: + - * are f64.add, f64.sub,
 * f64.mul in the order written, Math.min and Math.max are f64.min and f64.max (NaN passes), `| 0` is
 * i32.trunc_sat_f64_s (NaN gives 0), and powerOfTwo(k) is f64.reinterpret_i64((i64(k) + 1023) << 52). The
 * subtraction of `tail` = 0 changes no bit and may be left out.
 */
import { powerOfTwo } from './bits.ts';

/** Adding and subtracting this rounds a double below 2^51 to the nearest integer, ties to even. */
export const ROUND_MAGIC = 6755399441055744;

/** 1 / ln 2, and ln 2 in two parts: 41 bits, and the rest. */
export const LOG2_E = 1.4426950408889634;
export const LN2_HIGH = 0.6931471805598903;
export const LN2_LOW = 5.497923018708371e-14;

/** Beyond these x the result is 0 and Infinity; x is clamped to them first. */
export const EXP_LOWEST = -746;
export const EXP_HIGHEST = 710;

/** Below it e^x - 1 rounds to x. */
const TINY = powerOfTwo(-54);

/** 1/2!, 1/3!, ..., 1/13!: the coefficients of r^2 upwards. */
export const EXP_COEFFICIENTS = [
  1 / 2,
  1 / 6,
  1 / 24,
  1 / 120,
  1 / 720,
  1 / 5040,
  1 / 40320,
  1 / 362880,
  1 / 3628800,
  1 / 39916800,
  1 / 479001600,
  1 / 6227020800,
] as const;

const [C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13] = EXP_COEFFICIENTS;

/** p(r) = e^r - 1 - r for |r| <= 0.35. */
function seriesBeyondLinear(r: number): number {
  let p = C12 + r * C13;
  p = C11 + r * p;
  p = C10 + r * p;
  p = C9 + r * p;
  p = C8 + r * p;
  p = C7 + r * p;
  p = C6 + r * p;
  p = C5 + r * p;
  p = C4 + r * p;
  p = C3 + r * p;
  p = C2 + r * p;
  return r * r * p;
}

/** e^(x + tail) for |tail| below an ulp of x and x from EXP_LOWEST to EXP_HIGHEST, or NaN. */
export function expOfSum(x: number, tail: number): number {
  const nearest = x * LOG2_E + ROUND_MAGIC - ROUND_MAGIC;
  const high = x - nearest * LN2_HIGH;
  const low = nearest * LN2_LOW - tail;
  const rest = seriesBeyondLinear(high - low) - low;
  const lead = 1 + high;
  const y = lead + (high - (lead - 1) + rest);
  const k = nearest | 0;
  const half = k >> 1;
  return y * powerOfTwo(half) * powerOfTwo(k - half);
}

/** e^x, within 0.8 ULP (measured) for every x; e^0 = 1, e^-Infinity = 0. */
export function exp(x: number): number {
  return expOfSum(Math.min(Math.max(x, EXP_LOWEST), EXP_HIGHEST), 0);
}

/** e^x - 1 without cancellation, within 1.2 ULP (measured); -0 stays -0. */
export function expm1(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < TINY) return x;
  if (magnitude > 37) return exp(x) - 1;
  const nearest = x * LOG2_E + ROUND_MAGIC - ROUND_MAGIC;
  const high = x - nearest * LN2_HIGH;
  const low = nearest * LN2_LOW;
  const rest = seriesBeyondLinear(high - low) - low;
  // 2^k (1 + high + rest) - 1: 2^k - 1 and 2^k * high are exact, and so is the error of their sum.
  const scale = powerOfTwo(nearest | 0);
  const lead = scale - 1;
  const linear = scale * high;
  const sum = lead + linear;
  return sum + (linear - (sum - lead) + scale * rest);
}
