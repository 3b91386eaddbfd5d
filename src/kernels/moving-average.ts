/**
 * Moves f32 averages towards f64 values.
 *
 *   average  [length]
 *   value    f64 [length]
 *
 *   average = average * momentum + value * (1 - momentum), in f64, rounded once to f32
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface MovingAverageSpec {
  readonly kind: 'movingAverage';
  /** The share of the old average that stays, from 0 to 1. */
  readonly momentum: number;
}

export const movingAverageFamily: KernelFamily<MovingAverageSpec> = {
  kind: 'movingAverage',
  args: () => [
    f32Buffer('average', 'inout', (length) => length),
    { name: 'value', access: 'in', type: 'f64', length: (length) => length },
    { name: 'length', access: 'literal' },
  ],
  bind({ momentum }, { f32, f64 }) {
    return (averageBytes, valueBytes, length) => {
      const average = averageBytes! >>> 2;
      const value = valueBytes! >>> 3;
      for (let i = 0; i < length!; i++) {
        f32[average + i] = f32[average + i]! * momentum + f64[value + i]! * (1 - momentum);
      }
    };
  },
};
