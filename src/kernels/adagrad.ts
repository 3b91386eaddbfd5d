/**
 * One step of Adagrad (Duchi, Hazan, Singer 2011) on a range of parameters, as Keras does it.
 *
 *   param, gradient, accumulator  [length]
 *   hyper                         [4]: hyper[0] is the learning rate lr, the others are not read
 *
 * In this order, every operation rounded to f32, epsilon and lambda (weightDecay) being rounded to f32:
 *
 *   p           = param            or  param - (param * lambda) * lr   where weightDecay is not 0
 *   accumulator = accumulator + gradient * gradient
 *   param       = p - (lr * gradient) / sqrt(accumulator + epsilon)
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface AdagradSpec {
  readonly kind: 'adagrad';
  readonly epsilon: number;
  /** lambda; 0 leaves the term out. */
  readonly weightDecay: number;
}

const f = Math.fround;

export const adagradFamily: KernelFamily<AdagradSpec> = {
  kind: 'adagrad',
  args: () => [
    f32Buffer('param', 'inout', (length) => length),
    f32Buffer('gradient', 'in', (length) => length),
    f32Buffer('accumulator', 'inout', (length) => length),
    f32Buffer('hyper', 'in', () => 4),
    { name: 'length', access: 'literal' },
  ],
  bind(spec, { f32 }) {
    const epsilon = f(spec.epsilon);
    const weightDecay = f(spec.weightDecay);
    return (paramBytes, gradientBytes, accumulatorBytes, hyperBytes, length) => {
      const param = paramBytes! >>> 2;
      const gradient = gradientBytes! >>> 2;
      const accumulator = accumulatorBytes! >>> 2;
      const learningRate = f32[hyperBytes! >>> 2]!;
      for (let i = 0; i < length!; i++) {
        let p = f32[param + i]!;
        if (weightDecay !== 0) p = f(p - f(f(p * weightDecay) * learningRate));
        const g = f32[gradient + i]!;
        const sum = f(f32[accumulator + i]! + f(g * g));
        f32[accumulator + i] = sum;
        f32[param + i] = f(p - f(f(learningRate * g) / f(Math.sqrt(f(sum + epsilon)))));
      }
    };
  },
  flops: ({ weightDecay }, length) => length * (weightDecay === 0 ? 7 : 10),
};
