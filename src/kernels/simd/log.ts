/** ln x in f64 as a WebAssembly function: math/log.ts step by step, with the same bits for every x. */
import { LN2_HIGH, LN2_LOW } from '../../math/exp.ts';
import { LOG_COEFFICIENTS, SQRT_HALF_HIGH_WORD } from '../../math/log.ts';
import { FunctionBuilder, type Local } from './assembler/index.ts';

const SMALLEST_NORMAL = 2 ** -1022;

/** A function `log` of one f64, giving an f64. */
export function logFunction(): FunctionBuilder {
  const b = new FunctionBuilder('log', [['x', 'f64']], ['f64']);
  const x = b.param('x');
  const scale = b.local('f64', 'scaleExponent');
  emitSpecialCases(b, x, scale);
  const bits = b.local('i64', 'bits');
  const exponent = b.local('i64', 'exponent');
  const k = b.local('f64', 'k');
  const f = b.local('f64', 'f');
  b.get(x).op('i64.reinterpret_f64').tee(bits);
  b.i64(BigInt(SQRT_HALF_HIGH_WORD) << 32n).op('i64.sub');
  b.i64(52n).op('i64.shr_s').tee(exponent).op('f64.convert_i64_s').get(scale).op('f64.sub').set(k);
  b.get(bits).get(exponent).i64(52n).op('i64.shl').op('i64.sub').op('f64.reinterpret_i64');
  b.f64(1).op('f64.sub').set(f);
  emitAssemble(b, k, f);
  return b;
}

/** Returns for 0, negative numbers, Infinity and NaN; multiplies subnormals by 2^54 and sets `scale` to 54. */
function emitSpecialCases(b: FunctionBuilder, x: Local, scale: Local): void {
  b.get(x).f64(SMALLEST_NORMAL).op('f64.ge').get(x).f64(Number.POSITIVE_INFINITY).op('f64.lt').op('i32.and');
  b.op('i32.eqz').if(() => {
    b.get(x)
      .f64(0)
      .op('f64.eq')
      .if(() => b.f64(Number.NEGATIVE_INFINITY).return());
    b.get(x)
      .f64(0)
      .op('f64.gt')
      .op('i32.eqz')
      .if(() => b.f64(Number.NaN).return());
    b.get(x)
      .f64(Number.POSITIVE_INFINITY)
      .op('f64.eq')
      .if(() => b.get(x).return());
    b.get(x)
      .f64(2 ** 54)
      .op('f64.mul')
      .set(x);
    b.f64(54).set(scale);
  });
}

/** Pushes k ln 2 + ln(1 + f). */
function emitAssemble(b: FunctionBuilder, k: Local, f: Local): void {
  const s = b.local('f64', 's');
  const z = b.local('f64', 'z');
  const halfSquare = b.local('f64', 'halfSquare');
  const base = b.local('f64', 'base');
  const sum = b.local('f64', 'sum');
  b.get(f).f64(2).get(f).op('f64.add').op('f64.div').tee(s).get(s).op('f64.mul').set(z);
  b.f64(0.5).get(f).op('f64.mul').get(f).op('f64.mul').set(halfSquare);
  b.get(k).f64(LN2_HIGH).op('f64.mul').tee(base).get(f).op('f64.add').tee(sum);
  // The excess f - ln(1 + f) = halfSquare - s * (halfSquare + z * series).
  b.get(halfSquare).get(s).get(halfSquare).get(z);
  const [first, ...rest] = [...LOG_COEFFICIENTS].reverse();
  b.f64(first!);
  const term = b.local('f64', 'term');
  for (const coefficient of rest) {
    b.set(term).f64(coefficient).get(z).get(term).op('f64.mul').op('f64.add');
  }
  b.op('f64.mul').op('f64.add').op('f64.mul').op('f64.sub');
  // Minus k * ln2Low plus what the sum lost.
  b.get(k).f64(LN2_LOW).op('f64.mul');
  b.get(f).get(sum).get(base).op('f64.sub').op('f64.sub').op('f64.add');
  b.op('f64.sub').op('f64.sub');
}
