/** Polynomials on two f64 lanes. */
import type { FunctionBuilder, Local } from './assembler/index.ts';

/** Pushes c[0] + z * (c[1] + z * (... c[n - 1])). */
export function hornerPair(b: FunctionBuilder, z: Local, coefficients: readonly number[]): void {
  for (const coefficient of coefficients.slice(0, -1)) b.f64x2(coefficient).get(z);
  b.f64x2(coefficients.at(-1)!);
  for (let i = 1; i < coefficients.length; i++) b.op('f64x2.mul').op('f64x2.add');
}
