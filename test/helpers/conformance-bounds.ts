/** Tensors in f64 with a bound, element by element, of how far f32 may be from them: what layer oracles compute. */
import type { Values } from './oracle.ts';
import { roundoffBounds, UNIT_ROUNDOFF } from './tolerance.ts';

export interface BoundedValues {
  readonly values: Float64Array;
  readonly bounds: Float64Array;
}

const SMALLEST_SUBNORMAL = 2 ** -149;
/** Error of a handful of operations in f64, relative. */
const F64_ERROR = 2 ** -48;

/** Values that f32 holds as they are. */
export function exactValues(values: Values): BoundedValues {
  return { values: Float64Array.from(values), bounds: new Float64Array(values.length) };
}

/** An upper bound of |f32 value|. */
export function largest({ values, bounds }: BoundedValues): Float64Array {
  return values.map((value, i) => Math.abs(value) + bounds[i]!);
}

/** Bound of one rounding to f32 of a value of this size that was computed in f64. */
export function roundingBound(size: number): number {
  return (UNIT_ROUNDOFF + F64_ERROR) * size + SMALLEST_SUBNORMAL;
}

/**
 * A result that is linear in a bounded operand, each element a sum of n products: `apply` is that sum, with
 * the other operand, and `applyAbsolute` the same sum of magnitudes. The operand's error e passes through it
 * unrounded, and the roundings are those of sums over (|x| + e).
 */
export function linearResult(
  n: number,
  operand: BoundedValues,
  apply: (x: Values) => Float64Array,
  applyAbsolute: (x: Values) => Float64Array,
): BoundedValues {
  const passed = applyAbsolute(operand.bounds);
  const roundings = roundoffBounds(n, applyAbsolute(largest(operand)));
  return { values: apply(operand.values), bounds: roundings.map((bound, i) => bound + passed[i]!) };
}
