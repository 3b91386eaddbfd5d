/**
 * e^x in f64 as a WebAssembly function, step by step math/exp.ts and so with its bits.
 *
 * x = k ln 2 + r; e^r by a polynomial; the scaling by 2^k in two factors.
 */
import {
  EXP_COEFFICIENTS,
  EXP_HIGHEST,
  EXP_LOWEST,
  LN2_HIGH,
  LN2_LOW,
  LOG2_E,
  ROUND_MAGIC,
} from '../../math/exp.ts';
import { FunctionBuilder, type Local } from './assembler/index.ts';

/** A new function (f64) -> (f64); one a module is enough, so pass it to all that call it. */
export function expFunction(): FunctionBuilder {
  const b = new FunctionBuilder('exp', [['x', 'f64']], ['f64']);
  const x = b.param('x');
  const [nearest, high, low, r, rest, lead] = b.localArray('f64', 6, 'part') as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const k = b.local('i32', 'k');
  const half = b.local('i32', 'half');
  b.get(x).f64(EXP_LOWEST).op('f64.max').f64(EXP_HIGHEST).op('f64.min').set(x);
  b.get(x)
    .f64(LOG2_E)
    .op('f64.mul')
    .f64(ROUND_MAGIC)
    .op('f64.add')
    .f64(ROUND_MAGIC)
    .op('f64.sub')
    .set(nearest);
  b.get(x).get(nearest).f64(LN2_HIGH).op('f64.mul').op('f64.sub').set(high);
  b.get(nearest).f64(LN2_LOW).op('f64.mul').set(low);
  b.get(high).get(low).op('f64.sub').set(r);
  // The polynomial's Horner steps nest: c2 + r * (c3 + r * (... c13)).
  for (const coefficient of EXP_COEFFICIENTS.slice(0, -1)) b.f64(coefficient).get(r);
  b.f64(EXP_COEFFICIENTS[EXP_COEFFICIENTS.length - 1]!);
  for (let i = 1; i < EXP_COEFFICIENTS.length; i++) b.op('f64.mul').op('f64.add');
  b.set(rest);
  b.get(r).get(r).op('f64.mul').get(rest).op('f64.mul').get(low).op('f64.sub').set(rest);
  b.f64(1).get(high).op('f64.add').tee(lead);
  b.get(high).get(lead).f64(1).op('f64.sub').op('f64.sub').get(rest).op('f64.add').op('f64.add');
  b.get(nearest).op('i32.trunc_sat_f64_s').tee(k).i32(1).op('i32.shr_s').set(half);
  pushPowerOfTwo(b, () => b.get(half));
  b.op('f64.mul');
  pushPowerOfTwo(b, () => b.get(k).get(half).op('i32.sub'));
  return b.op('f64.mul');
}

/** Pushes 2^k as f64 for an i32 k from -1022 to 1023. */
function pushPowerOfTwo(b: FunctionBuilder, pushExponent: () => void): void {
  pushExponent();
  b.i32(1023).op('i32.add').op('i64.extend_i32_s').i64(52n).op('i64.shl').op('f64.reinterpret_i64');
}
