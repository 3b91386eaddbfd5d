/**
 * cos of two f64 lanes: math/trigonometry.ts step by step, with the same bits, for x from 0 to 2^20 pi/2.
 *
 * Both series are computed and one is taken. Below pi/4, where the reference reduces nothing, n is 0 and the reduction
 * gives x + 0 back, so that these lanes need no case of their own.
 */
import { ROUND_MAGIC } from '../../math/exp.ts';
import { COS_COEFFICIENTS, HALF_PI_PARTS, SIN_COEFFICIENTS, TWO_OVER_PI } from '../../math/trigonometry.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { hornerPair } from './horner-pair.ts';

/** Pushes cos x, lane by lane. */
export function pushCosPair(b: FunctionBuilder, x: Local): void {
  const [bits, n, high, low, cosine] = b.localArray('v128', 5, 'turned') as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  // The low bits of n + ROUND_MAGIC are those of the integer n.
  b.get(x).f64x2(TWO_OVER_PI).op('f64x2.mul').f64x2(ROUND_MAGIC).op('f64x2.add').tee(bits);
  b.f64x2(ROUND_MAGIC).op('f64x2.sub').set(n);
  reduce(b, { x, n, high, low });
  pushCosine(b, high, low);
  b.set(cosine);
  pushSine(b, high, low);
  // sin where n is odd.
  b.get(cosine).get(bits).i32(63).op('i64x2.shl').i32(63).op('i64x2.shr_s').op('v128.bitselect');
  // Minus where (n + 1) & 2: the bit goes to the sign's place.
  b.get(bits).i64(1n).op('i64x2.splat').op('i64x2.add').i32(62).op('i64x2.shl');
  b.f64x2(-0).op('v128.and').op('v128.xor');
}

/** high + low = x - n pi/2. */
function reduce(
  b: FunctionBuilder,
  { x, n, high, low }: Readonly<Record<'x' | 'n' | 'high' | 'low', Local>>,
): void {
  const [lead, term, first, firstLow] = b.localArray('v128', 4, 'first') as [Local, Local, Local, Local];
  const [second, secondLow, sum, sumLow] = b.localArray('v128', 4, 'second') as [Local, Local, Local, Local];
  const rest = b.local('v128', 'rest');
  const pushMinusTurns = (part: number) => b.get(n).op('f64x2.neg').f64x2(part).op('f64x2.mul');
  const [part1, part2, part3, part4] = HALF_PI_PARTS;
  b.get(x).get(n).f64x2(part1).op('f64x2.mul').op('f64x2.sub').set(lead);
  pushMinusTurns(part2).set(term);
  twoSum(b, lead, term, first, firstLow);
  pushMinusTurns(part3).set(term);
  twoSum(b, firstLow, term, second, secondLow);
  twoSum(b, first, second, sum, sumLow);
  b.get(sumLow).get(secondLow).get(n).f64x2(part4).op('f64x2.mul').op('f64x2.sub').op('f64x2.add').set(rest);
  b.get(sum).get(rest).op('f64x2.add').set(high);
  b.get(sum).get(high).op('f64x2.sub').get(rest).op('f64x2.add').set(low);
}

/** sum + sumLow = left + right (math/double-double.ts). */
function twoSum(b: FunctionBuilder, left: Local, right: Local, sum: Local, sumLow: Local): void {
  const part = b.local('v128', 'part');
  b.get(left).get(right).op('f64x2.add').tee(sum).get(left).op('f64x2.sub').set(part);
  b.get(left).get(sum).get(part).op('f64x2.sub').op('f64x2.sub');
  b.get(right).get(part).op('f64x2.sub').op('f64x2.add').set(sumLow);
}

/** Pushes sin(r + low). */
function pushSine(b: FunctionBuilder, r: Local, low: Local): void {
  const z = b.local('v128', 'z');
  const cube = b.local('v128', 'cube');
  b.get(r).get(r).op('f64x2.mul').tee(z).get(r).op('f64x2.mul').set(cube);
  b.get(r).get(z).f64x2(0.5).get(low).op('f64x2.mul').get(cube);
  hornerPair(b, z, SIN_COEFFICIENTS);
  b.op('f64x2.mul').op('f64x2.sub').op('f64x2.mul').get(low).op('f64x2.sub');
  b.get(cube)
    .f64x2(1 / 6)
    .op('f64x2.mul')
    .op('f64x2.add')
    .op('f64x2.sub');
}

/** Pushes cos(r + low). */
function pushCosine(b: FunctionBuilder, r: Local, low: Local): void {
  const [z, half, lead] = b.localArray('v128', 3, 'even') as [Local, Local, Local];
  b.get(r).get(r).op('f64x2.mul').tee(z).f64x2(0.5).op('f64x2.mul').set(half);
  b.f64x2(1).get(half).op('f64x2.sub').tee(lead);
  b.f64x2(1).get(lead).op('f64x2.sub').get(half).op('f64x2.sub');
  b.get(z).get(z).op('f64x2.mul');
  hornerPair(b, z, COS_COEFFICIENTS);
  b.op('f64x2.mul').get(r).get(low).op('f64x2.mul').op('f64x2.sub').op('f64x2.add').op('f64x2.add');
}
