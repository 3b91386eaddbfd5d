/**
 * The sum of squares, or of magnitudes, of a range in f64: what norms and penalties are made of.
 *
 *   values  [length]
 *   sum     f64 [1]
 *
 * Eight partial sums p[0..7] from +0 take x * x (power 2) or |x| (power 1) of the elements i, i + 8, ... in turn, as
 * long as eight are left; the last length mod 8 elements go to p[0], one after the other. Then
 *
 *   sum = ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
 *
 * A square of an f32 is exact in f64, and never infinite.
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface SumPowersSpec {
  readonly kind: 'sumPowers';
  readonly power: 1 | 2;
}

export const sumPowersFamily: KernelFamily<SumPowersSpec> = {
  kind: 'sumPowers',
  args: () => [
    f32Buffer('values', 'in', (length) => length),
    { name: 'sum', access: 'out', type: 'f64', length: () => 1 },
    { name: 'length', access: 'literal' },
  ],
  bind({ power }, { f32, f64 }) {
    return (valuesBytes, sumBytes, length) => {
      const values = valuesBytes! >>> 2;
      f64[sumBytes! >>> 3] = sumPowers(f32.subarray(values, values + length!), power);
    };
  },
  flops: (_, length) => 2 * length,
};

/** The sum, in the order above. */
export function sumPowers(values: Float32Array, power: 1 | 2): number {
  const p = new Float64Array(8);
  const { length } = values;
  const whole = length - (length % 8);
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    p[i < whole ? i % 8 : 0]! += power === 2 ? value * value : Math.abs(value);
  }
  const [even, odd] = [p[0]! + p[4]! + (p[2]! + p[6]!), p[1]! + p[5]! + (p[3]! + p[7]!)];
  return even + odd;
}
