/**
 * What gradients are multiplied by so that their norm stays within a limit (Pascanu et al. 2013; as in Keras).
 *
 *   squares  f64 [length], sums of squares
 *   factor   f32 [1]
 *
 *   norm   = sqrt(sum of squares)        in f64, from +0, in order
 *   factor = limit / norm, rounded once to f32, where norm > limit; else 1
 */
import type { KernelFamily } from './kernel.ts';

export interface ClipFactorSpec {
  readonly kind: 'clipFactor';
  readonly limit: number;
}

export const clipFactorFamily: KernelFamily<ClipFactorSpec> = {
  kind: 'clipFactor',
  args: () => [
    { name: 'squares', access: 'in', type: 'f64', length: (length) => length },
    { name: 'factor', access: 'out', type: 'f32', length: () => 1 },
    { name: 'length', access: 'literal' },
  ],
  bind({ limit }, { f32, f64 }) {
    return (squaresBytes, factorBytes, length) => {
      const squares = squaresBytes! >>> 3;
      let sum = 0;
      for (let i = 0; i < length!; i++) sum += f64[squares + i]!;
      const norm = Math.sqrt(sum);
      f32[factorBytes! >>> 2] = norm > limit ? limit / norm : 1;
    };
  },
};
