/**
 * One step of an exponential moving average of weights (Polyak, Juditsky 1992; as in Keras).
 *
 *   average, param  [length]
 *   hyper           [4]: hyper[2] = m, what of the average stays, and hyper[3] = 1 - m; the others are not read
 *
 *   average = m * average + (1 - m) * param
 *
 * both products and the sum rounded to f32. With m = 0 the average becomes the weights themselves.
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface AverageWeightsSpec {
  readonly kind: 'averageWeights';
}

const f = Math.fround;

export const averageWeightsFamily: KernelFamily<AverageWeightsSpec> = {
  kind: 'averageWeights',
  args: () => [
    f32Buffer('average', 'inout', (length) => length),
    f32Buffer('param', 'in', (length) => length),
    f32Buffer('hyper', 'in', () => 4),
    { name: 'length', access: 'literal' },
  ],
  bind(_, { f32 }) {
    return (averageBytes, paramBytes, hyperBytes, length) => {
      const average = averageBytes! >>> 2;
      const param = paramBytes! >>> 2;
      const kept = f32[(hyperBytes! >>> 2) + 2]!;
      const added = f32[(hyperBytes! >>> 2) + 3]!;
      for (let i = 0; i < length!; i++) {
        f32[average + i] = f(f(kept * f32[average + i]!) + f(added * f32[param + i]!));
      }
    };
  },
  flops: (_, length) => 3 * length,
};
