/** ln of two f64 lanes: math/log.ts step by step, with the same bits, for normal positive x. */
import { LN2_HIGH, LN2_LOW } from '../../math/exp.ts';
import { LOG_COEFFICIENTS, SQRT_HALF_HIGH_WORD } from '../../math/log.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { hornerPair } from './horner-pair.ts';

/** Pushes ln x, lane by lane; the lanes of `x` are normal, positive and finite. */
export function pushLogPair(b: FunctionBuilder, x: Local): void {
  const exponent = b.local('v128', 'exponent');
  const k = b.local('v128', 'k');
  const f = b.local('v128', 'f');
  b.get(x)
    .i64(BigInt(SQRT_HALF_HIGH_WORD) << 32n)
    .op('i64x2.splat')
    .op('i64x2.sub');
  b.i32(52).op('i64x2.shr_s').tee(exponent);
  b.get(exponent).shuffleLanes([0, 2, 0, 2]).op('f64x2.convert_low_i32x4_s').set(k);
  b.get(x).get(exponent).i32(52).op('i64x2.shl').op('i64x2.sub').f64x2(1).op('f64x2.sub').set(f);
  pushAssembled(b, k, f);
}

/** Pushes k ln 2 + ln(1 + f). */
function pushAssembled(b: FunctionBuilder, k: Local, f: Local): void {
  const [s, z, halfSquare, base, sum] = b.localArray('v128', 5, 'part') as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  b.get(f).f64x2(2).get(f).op('f64x2.add').op('f64x2.div').tee(s).get(s).op('f64x2.mul').set(z);
  b.f64x2(0.5).get(f).op('f64x2.mul').get(f).op('f64x2.mul').set(halfSquare);
  b.get(k).f64x2(LN2_HIGH).op('f64x2.mul').tee(base).get(f).op('f64x2.add').tee(sum);
  // The excess f - ln(1 + f) = halfSquare - s * (halfSquare + z * series).
  b.get(halfSquare).get(s).get(halfSquare).get(z);
  hornerPair(b, z, LOG_COEFFICIENTS);
  b.op('f64x2.mul').op('f64x2.add').op('f64x2.mul').op('f64x2.sub');
  // Minus k * ln2Low plus what the sum lost.
  b.get(k).f64x2(LN2_LOW).op('f64x2.mul');
  b.get(f).get(sum).get(base).op('f64x2.sub').op('f64x2.sub').op('f64x2.add');
  b.op('f64x2.sub').op('f64x2.sub');
}
