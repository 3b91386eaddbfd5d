/**
 * Looks for values whose squares are not finite: NaN, infinities, and what is too large to go on with. An optimizer
 * squares gradients; from one of 2e19 on Adam's second moment would become infinite, and the weight NaN a step later.
 *
 *   values   [length], f32 or f64
 *   verdict  i32 [1]: 1 where such a value is among them, else 0
 *
 * y - y is +0 for every finite y and NaN for all others, so the twin needs no comparison: it joins the bits of the
 * differences, and no order matters.
 */
import type { KernelFamily } from './kernel.ts';

export interface CheckFiniteSpec {
  readonly kind: 'checkFinite';
  readonly type: 'f32' | 'f64';
}

export const checkFiniteFamily: KernelFamily<CheckFiniteSpec> = {
  kind: 'checkFinite',
  args: ({ type }) => [
    { name: 'values', access: 'in', type, length: (length) => length },
    { name: 'verdict', access: 'out', type: 'i32', length: () => 1 },
    { name: 'length', access: 'literal' },
  ],
  bind({ type }, heap) {
    const values = heap[type];
    const round = type === 'f32' ? Math.fround : (square: number) => square;
    const shift = type === 'f32' ? 2 : 3;
    return (valuesBytes, verdictBytes, length) => {
      const from = valuesBytes! >>> shift;
      let at = 0;
      while (at < length! && Number.isFinite(round(values[from + at]! * values[from + at]!))) at++;
      heap.i32[verdictBytes! >>> 2] = at < length! ? 1 : 0;
    };
  },
};
