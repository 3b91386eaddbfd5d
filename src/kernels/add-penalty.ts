/**
 * Adds the gradient of a penalty, l1 sum |w| + l2 sum w^2, to a range of gradients.
 *
 *   param, gradient  [length]
 *
 * In this order, every operation rounded to f32, l1 and 2 * l2 rounded to f32; a term whose factor is 0 is left out:
 *
 *   gradient = gradient + (2 l2) * param
 *   gradient = gradient + l1 where param > 0, gradient - l1 where it is < 0, else unchanged
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface AddPenaltySpec {
  readonly kind: 'addPenalty';
  readonly l1: number;
  readonly l2: number;
}

const f = Math.fround;

export const addPenaltyFamily: KernelFamily<AddPenaltySpec> = {
  kind: 'addPenalty',
  args: () => [
    f32Buffer('param', 'in', (length) => length),
    f32Buffer('gradient', 'inout', (length) => length),
    { name: 'length', access: 'literal' },
  ],
  bind(spec, { f32 }) {
    const { l1, slope } = penaltyConstants(spec);
    return (paramBytes, gradientBytes, length) => {
      const param = paramBytes! >>> 2;
      const gradient = gradientBytes! >>> 2;
      for (let i = 0; i < length!; i++) {
        const p = f32[param + i]!;
        let g = f32[gradient + i]!;
        if (slope !== 0) g = f(g + f(slope * p));
        if (l1 !== 0) g = f(g + (p > 0 ? l1 : p < 0 ? -l1 : 0));
        f32[gradient + i] = g;
      }
    };
  },
  flops: ({ l1, l2 }, length) => length * ((l1 === 0 ? 0 : 2) + (l2 === 0 ? 0 : 2)),
};

/** The f32 constants of a spec. */
export function penaltyConstants({ l1, l2 }: AddPenaltySpec) {
  return { l1: f(l1), slope: f(2 * l2) };
}
