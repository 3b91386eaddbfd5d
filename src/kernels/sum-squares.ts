/**
 * The sum of squares of a range of gradients, in f64: what norms are made of.
 *
 *   values   [length]
 *   squares  f64 [1]
 *
 * Eight partial sums p[0..7] from +0 take the squares of the elements i, i + 8, ... in turn, as long as eight are left;
 * the last length mod 8 elements go to p[0], one after the other. Then
 *
 *   squares = ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
 *
 * A square of an f32 is exact in f64, and never infinite.
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface SumSquaresSpec {
  readonly kind: 'sumSquares';
}

export const sumSquaresFamily: KernelFamily<SumSquaresSpec> = {
  kind: 'sumSquares',
  args: () => [
    f32Buffer('values', 'in', (length) => length),
    { name: 'squares', access: 'out', type: 'f64', length: () => 1 },
    { name: 'length', access: 'literal' },
  ],
  bind(_, { f32, f64 }) {
    const p = new Float64Array(8);
    return (valuesBytes, squaresBytes, length) => {
      const values = valuesBytes! >>> 2;
      const whole = length! - (length! % 8);
      p.fill(0);
      for (let i = 0; i < length!; i++) {
        const value = f32[values + i]!;
        p[i < whole ? i % 8 : 0]! += value * value;
      }
      const [even, odd] = [p[0]! + p[4]! + (p[2]! + p[6]!), p[1]! + p[5]! + (p[3]! + p[7]!)];
      f64[squaresBytes! >>> 3] = even + odd;
    };
  },
  flops: (_, length) => 2 * length,
};
