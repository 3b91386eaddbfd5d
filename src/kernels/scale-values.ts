/**
 * Multiplies a range by one number, in place: values = values * factor, rounded to f32.
 *
 *   values  [length]
 *   factor  [1]
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface ScaleValuesSpec {
  readonly kind: 'scaleValues';
}

export const scaleValuesFamily: KernelFamily<ScaleValuesSpec> = {
  kind: 'scaleValues',
  args: () => [
    f32Buffer('values', 'inout', (length) => length),
    f32Buffer('factor', 'in', () => 1),
    { name: 'length', access: 'literal' },
  ],
  bind(_, { f32 }) {
    return (valuesBytes, factorBytes, length) => {
      const values = valuesBytes! >>> 2;
      const factor = f32[factorBytes! >>> 2]!;
      for (let i = 0; i < length!; i++) f32[values + i] = f32[values + i]! * factor;
    };
  },
  flops: (_, length) => length,
};
