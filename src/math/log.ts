/**
 * ln x and ln(1 + x) in f64.
 *
 * x = 2^k m with m from sqrt(1/2) to sqrt(2), f = m - 1, s = f / (2 + f): then (as in Sun's fdlibm)
 * ln m = f - (f^2/2 - s (f^2/2 + R)), where 2 atanh(s) = 2s + s R, R by the Taylor series
 * 2 s^2/3 + 2 s^4/5 + ... up to s^20 (truncation below 2^-59 of the result). The rounding of
 * k * ln2High + f is kept and added back.
 *
 * For normal x every step of `log` is one WebAssembly instruction or a few, with the same bits: + - * /
 * are f64 instructions in the order written; with the bits as i64, d = bits - (0x3fe6a09e << 32),
 * k = i64.shr_s(d, 52), m = f64.reinterpret_i64(bits - (k << 52)). Subnormals are first multiplied by 2^54.
 */
import { highWord, powerOfTwo, withHighWord } from './bits.ts';
import { LN2_HIGH, LN2_LOW } from './exp.ts';

/** Upper word of sqrt(1/2): m starts at the double of this word and 32 zeros. */
export const SQRT_HALF_HIGH_WORD = 0x3fe6a09e;

const SMALLEST_NORMAL = powerOfTwo(-1022);
/** Brings every subnormal into the normal range. */
const SUBNORMAL_SCALE = powerOfTwo(54);
/** Below it ln(1 + x) rounds to x. */
const TINY = powerOfTwo(-54);

/** 2/3, 2/5, ..., 2/21: the coefficients of s^2, s^4, ..., s^20. */
export const LOG_COEFFICIENTS = [
  2 / 3,
  2 / 5,
  2 / 7,
  2 / 9,
  2 / 11,
  2 / 13,
  2 / 15,
  2 / 17,
  2 / 19,
  2 / 21,
] as const;

const [C1, C2, C3, C4, C5, C6, C7, C8, C9, C10] = LOG_COEFFICIENTS;

/** f - ln(1 + f) for f from sqrt(1/2) - 1 to sqrt(2) - 1. */
function linearExcess(f: number): number {
  const s = f / (2 + f);
  const z = s * s;
  let series = C9 + z * C10;
  series = C8 + z * series;
  series = C7 + z * series;
  series = C6 + z * series;
  series = C5 + z * series;
  series = C4 + z * series;
  series = C3 + z * series;
  series = C2 + z * series;
  series = C1 + z * series;
  const halfSquare = 0.5 * f * f;
  return halfSquare - s * (halfSquare + z * series);
}

/** k ln 2 + ln(1 + f) + tail. */
function assemble(k: number, f: number, tail: number): number {
  const base = k * LN2_HIGH;
  const sum = base + f;
  const lost = f - (sum - base);
  return sum - (linearExcess(f) - (k * LN2_LOW + lost + tail));
}

/** The k of x = 2^k m for a positive normal x. */
export function binaryExponent(x: number): number {
  return (highWord(x) - SQRT_HALF_HIGH_WORD) >> 20;
}

/** x / 2^k for a positive normal x, k = binaryExponent(x): from sqrt(1/2) to sqrt(2). */
export function mantissa(x: number, k: number): number {
  return withHighWord(x, highWord(x) - (k << 20));
}

/** ln x, within 0.9 ULP (measured); ln 0 = -Infinity, NaN for negative x. */
export function log(x: number): number {
  if (!(x >= SMALLEST_NORMAL && x < Infinity)) {
    if (x === 0) return -Infinity;
    if (!(x > 0)) return Number.NaN;
    if (x === Infinity) return x;
    const scaled = x * SUBNORMAL_SCALE;
    const k = binaryExponent(scaled);
    return assemble(k - 54, mantissa(scaled, k) - 1, 0);
  }
  const k = binaryExponent(x);
  return assemble(k, mantissa(x, k) - 1, 0);
}

/** ln(1 + x) without cancellation, within 1 ULP (measured); -0 stays -0, NaN below -1. */
export function log1p(x: number): number {
  if (Math.abs(x) < TINY) return x;
  if (x > -0.29 && x < 0.41) return x - linearExcess(x);
  if (!(x > -1)) return x === -1 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  const u = 1 + x;
  // ln(u + lost) = ln u + lost/u, lost being the rounding of 1 + x.
  const lost = x > 1 ? 1 - (u - x) : x - (u - 1);
  const k = binaryExponent(u);
  return assemble(k, mantissa(u, k) - 1, lost / u);
}
