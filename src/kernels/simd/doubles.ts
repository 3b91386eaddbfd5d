/** Arithmetic in f64 on vectors of four f32: what kernels use whose scalar twins compute in doubles. */
import type { FunctionBuilder, Local } from './assembler/index.ts';

/**
 * Pushes four f32 lanes, each computed in f64 and rounded once: `value` is emitted for the lower and the upper
 * two lanes, finds them as f64x2 in the local it is given, and leaves an f64x2 on the stack.
 */
export function mapDoubles(b: FunctionBuilder, x: Local, value: (wide: Local) => void): void {
  const wide = b.local('v128', 'wide');
  b.get(x).op('f64x2.promote_low_f32x4').set(wide);
  value(wide);
  b.op('f32x4.demote_f64x2_zero');
  b.get(x).get(x).shuffleLanes([2, 3, 2, 3]).op('f64x2.promote_low_f32x4').set(wide);
  value(wide);
  b.op('f32x4.demote_f64x2_zero').shuffleLanes([0, 1, 4, 5]);
}

/**
 * Pushes a vector whose first `lanes` lanes are f32(target(f64(lane of x))). Lanes are taken from x alone, so
 * that the calls do not wait for each other.
 */
export function mapLanes(b: FunctionBuilder, x: Local, lanes: number, target: FunctionBuilder): void {
  b.get(x);
  for (let lane = 0; lane < lanes; lane++) {
    b.get(x).lane('f32x4.extract_lane', lane).op('f64.promote_f32').call(target).op('f32.demote_f64');
    b.lane('f32x4.replace_lane', lane);
  }
}
