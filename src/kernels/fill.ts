/**
 * Writes one value, rounded to f32, into `length` elements.
 *
 *   output  [length]
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface FillSpec {
  readonly kind: 'fill';
  readonly value: number;
}

export const fillFamily: KernelFamily<FillSpec> = {
  kind: 'fill',
  args: () => [f32Buffer('output', 'out', (length) => length), { name: 'length', access: 'literal' }],
  bind({ value }, { f32 }) {
    return (outputBytes, length) => {
      f32.fill(value, outputBytes! >>> 2, (outputBytes! >>> 2) + length!);
    };
  },
};
