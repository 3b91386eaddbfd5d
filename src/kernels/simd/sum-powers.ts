/** The SIMD twin of ../sum-powers.ts: the eight partial sums are the lanes of four f64x2. */
import { type SumPowersSpec, sumPowersFamily } from '../sum-powers.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const sumPowersTwin: SimdTwin<SumPowersSpec> = {
  kind: 'sumPowers',
  emit(spec) {
    const b = twinFunction(sumPowersFamily, spec);
    const squares = spec.power === 2;
    const sums = b.localArray('v128', 4, 'sum');
    const [low, high] = [b.local('v128', 'low'), b.local('v128', 'high')];
    const wide = b.local('v128', 'wide');
    const rest = b.local('i32', 'rest');
    const single = b.local('f64', 'single');
    const values = b.param('values');
    b.get(b.param('length')).set(rest);
    b.block((exit) => {
      b.get(rest).i32(8).op('i32.lt_s').brIf(exit);
      b.loop((again) => {
        b.get(values).memory('v128.load').set(low).get(values).memory('v128.load', 16).set(high);
        [low, high].forEach((vector, i) => {
          for (const half of [0, 1]) {
            b.get(vector);
            if (half === 1) b.get(vector).shuffleLanes([2, 3, 2, 3]);
            b.op('f64x2.promote_low_f32x4').set(wide);
            const sum = sums[2 * i + half]!;
            b.get(sum).get(wide);
            if (squares) b.get(wide).op('f64x2.mul');
            else b.op('f64x2.abs');
            b.op('f64x2.add').set(sum);
          }
        });
        b.advance(values, 32);
        b.get(rest).i32(8).op('i32.sub').tee(rest).i32(8).op('i32.ge_s').brIf(again);
      });
    });
    b.block((exit) => {
      b.get(rest).op('i32.eqz').brIf(exit);
      b.loop((again) => {
        b.get(values).memory('f32.load').op('f64.promote_f32').set(single);
        b.get(sums[0]!).get(sums[0]!).lane('f64x2.extract_lane', 0);
        b.get(single);
        if (squares) b.get(single).op('f64.mul');
        else b.op('f64.abs');
        b.op('f64.add').lane('f64x2.replace_lane', 0).set(sums[0]!);
        b.advance(values, 4);
        b.get(rest).i32(1).op('i32.sub').tee(rest).brIf(again);
      });
    });
    // Lanes: [p0 + p4, p1 + p5] and [p2 + p6, p3 + p7], then even and odd.
    b.get(sums[0]!).get(sums[2]!).op('f64x2.add').get(sums[1]!).get(sums[3]!).op('f64x2.add');
    b.op('f64x2.add').set(wide);
    b.get(b.param('sum')).get(wide).lane('f64x2.extract_lane', 0);
    b.get(wide).lane('f64x2.extract_lane', 1).op('f64.add').memory('f64.store');
    return b;
  },
};
