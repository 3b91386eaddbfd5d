/**
 * Holds a range between -limit and limit, in place.
 *
 *   values  [length]
 *
 * With limit rounded to f32: limit where a value is greater, -limit where it is less, else the value itself (NaN
 * stays NaN, -0 stays -0).
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface ClampValuesSpec {
  readonly kind: 'clampValues';
  /** Positive. */
  readonly limit: number;
}

export const clampValuesFamily: KernelFamily<ClampValuesSpec> = {
  kind: 'clampValues',
  args: () => [f32Buffer('values', 'inout', (length) => length), { name: 'length', access: 'literal' }],
  bind(spec, { f32 }) {
    const limit = Math.fround(spec.limit);
    return (valuesBytes, length) => {
      const values = valuesBytes! >>> 2;
      for (let i = 0; i < length!; i++) {
        const value = f32[values + i]!;
        if (value > limit) f32[values + i] = limit;
        else if (value < -limit) f32[values + i] = -limit;
      }
    };
  },
};
