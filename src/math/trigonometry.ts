/**
 * sin x and cos x in f64, of any argument.
 *
 * x = n pi/2 + r, r = high + low. Up to 2^20 pi/2, pi/2 is cut into three parts of 33 bits, whose
 * products with n are exact, and a rest (Cody, Waite 1980; 152 bits in all); beyond, x is a big integer
 * over a power of two and is reduced exactly modulo pi/2 to 1,200 binary places. Then Taylor's series up to
 * r^17/17! and r^16/16! (truncation below 2^-58), with the leading roundings added back as in Sun's fdlibm.
 */
import { powerOfTwo } from './bits.ts';
import { twoSum } from './double-double.ts';
import { ROUND_MAGIC } from './exp.ts';

export const TWO_OVER_PI = 0.6366197723675814;
/** pi/2 in parts: three of 33 bits, and a rest. */
export const HALF_PI_PARTS = [
  1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32,
] as const;
const [HALF_PI_1, HALF_PI_2, HALF_PI_3, HALF_PI_4] = HALF_PI_PARTS;
const QUARTER_PI = 0.7853981633974483;
/** 2^20 pi/2, rounded down. */
const MEDIUM_LIMIT = 1647099;
/** From here on doubles are integers. */
const INTEGERS_FROM = 9007199254740992;
/** Below it sin x rounds to x. */
const TINY = powerOfTwo(-27);

/** n modulo 4, and x - n pi/2 as a sum. */
type Reduced = readonly [quadrant: number, high: number, low: number];

/** For |x| <= MEDIUM_LIMIT. The first subtraction is exact, each further one keeps its rounding. */
function reduceMedium(x: number): Reduced {
  const n = x * TWO_OVER_PI + ROUND_MAGIC - ROUND_MAGIC;
  const [first, firstLow] = twoSum(x - n * HALF_PI_1, -n * HALF_PI_2);
  const [second, secondLow] = twoSum(firstLow, -n * HALF_PI_3);
  const [sum, sumLow] = twoSum(first, second);
  const rest = sumLow + (secondLow - n * HALF_PI_4);
  const high = sum + rest;
  return [n & 3, high, sum - high + rest];
}

/** Binary places of pi: 971 to clear the largest exponent, the rest for the digits that may cancel. */
const PLACES = 1200n;
let bigHalfPi = 0n;

/** floor(2^1200 pi/2), by Machin's pi/4 = 4 arccot 5 - arccot 239, with 64 guard bits. */
function halfPi(): bigint {
  if (bigHalfPi !== 0n) return bigHalfPi;
  const one = 1n << (PLACES + 64n);
  const arccot = (n: bigint): bigint => {
    let sum = 0n;
    let sign = 1n;
    for (let power = one / n, k = 1n; power !== 0n; power /= n * n, k += 2n, sign = -sign) {
      sum += (sign * power) / k;
    }
    return sum;
  };
  bigHalfPi = (2n * (4n * arccot(5n) - arccot(239n))) >> 64n;
  return bigHalfPi;
}

/** For MEDIUM_LIMIT < |x| < Infinity. */
function reduceLarge(x: number): Reduced {
  // Doubles from 2^20 on are multiples of 2^-32, and integers from 2^53 on.
  const shift = Math.abs(x) < INTEGERS_FROM ? 32n : 0n;
  const integer = BigInt(shift === 0n ? x : x * 4294967296);
  const scaled = integer << (PLACES - shift);
  const modulus = halfPi();
  let quotient = scaled / modulus;
  let rest = scaled - quotient * modulus;
  if (2n * rest > modulus || -2n * rest > modulus) {
    const step = rest > 0n ? 1n : -1n;
    quotient += step;
    rest -= step * modulus;
  }
  // No double comes closer than about 2^-62 to a multiple of pi/2, so 200 places leave 138 significant bits.
  const places = 200n;
  const fraction = rest >> (PLACES - places);
  const leading = Number(fraction);
  const trailing = Number(fraction - BigInt(leading));
  const scale = powerOfTwo(-200);
  return [Number(quotient & 3n), leading * scale, trailing * scale];
}

/** 1/5!, -1/7!, ..., 1/17!: the coefficients of r^5, r^7, ..., r^17 in sin r. */
export const SIN_COEFFICIENTS = [
  1 / 120,
  -1 / 5040,
  1 / 362880,
  -1 / 39916800,
  1 / 6227020800,
  -1 / 1307674368000,
  1 / 355687428096000,
] as const;
/** 1/4!, -1/6!, ..., 1/16!: the coefficients of r^4, r^6, ..., r^16 in cos r. */
export const COS_COEFFICIENTS = [
  1 / 24,
  -1 / 720,
  1 / 40320,
  -1 / 3628800,
  1 / 479001600,
  -1 / 87178291200,
  1 / 20922789888000,
] as const;

const [S1, S2, S3, S4, S5, S6, S7] = SIN_COEFFICIENTS;
const [C1, C2, C3, C4, C5, C6, C7] = COS_COEFFICIENTS;

/** sin(r + low) for |r| <= pi/4 and |low| below an ulp of r. */
function sinKernel(r: number, low: number): number {
  const z = r * r;
  let series = S6 + z * S7;
  series = S5 + z * series;
  series = S4 + z * series;
  series = S3 + z * series;
  series = S2 + z * series;
  series = S1 + z * series;
  const cube = z * r;
  return r - (z * (0.5 * low - cube * series) - low + cube * (1 / 6));
}

/** cos(r + low) for |r| <= pi/4 and |low| below an ulp of r. */
function cosKernel(r: number, low: number): number {
  const z = r * r;
  let series = C6 + z * C7;
  series = C5 + z * series;
  series = C4 + z * series;
  series = C3 + z * series;
  series = C2 + z * series;
  series = C1 + z * series;
  const half = 0.5 * z;
  const lead = 1 - half;
  return lead + (1 - lead - half + (z * z * series - r * low));
}

/** sin(x + quadrants pi/2). */
function sinShifted(x: number, quadrants: number): number {
  if (x >= -QUARTER_PI && x <= QUARTER_PI) return sinOfParts(quadrants, x, 0);
  const magnitude = Math.abs(x);
  if (!(magnitude < Infinity)) return Number.NaN;
  const [quadrant, high, low] = magnitude > MEDIUM_LIMIT ? reduceLarge(x) : reduceMedium(x);
  return sinOfParts((quadrant + quadrants) & 3, high, low);
}

/** sin(high + low + quadrant pi/2), quadrant from 0 to 3. */
function sinOfParts(quadrant: number, high: number, low: number): number {
  const y = (quadrant & 1) === 0 ? sinKernel(high, low) : cosKernel(high, low);
  return quadrant > 1 ? -y : y;
}

/** sin x (x in radians), within 0.8 ULP (measured) for every finite x; NaN for others. */
export function sin(x: number): number {
  if (x > -TINY && x < TINY) return x;
  return sinShifted(x, 0);
}

/** cos x (x in radians), within 0.8 ULP (measured) for every finite x; NaN for others. */
export function cos(x: number): number {
  return sinShifted(x, 1);
}
