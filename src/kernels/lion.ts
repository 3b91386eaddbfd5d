/**
 * One step of Lion (Chen et al. 2023, algorithm 2) on a range of parameters, as Keras does it: every weight moves by
 * the learning rate, in the direction of an average of gradients.
 *
 *   param, gradient, momentum  [length]
 *   hyper                      [4]: hyper[0] is the learning rate lr, the others are not read
 *
 * In this order, every operation rounded to f32; beta1, beta2 and lambda (weightDecay) are rounded to f32, (1 - beta1)
 * and (1 - beta2) are f64 differences rounded once:
 *
 *   p        = param               or  param - (param * lambda) * lr   where weightDecay is not 0
 *   c        = beta1 * momentum + (1 - beta1) * gradient
 *   param    = p - lr where c > 0, p + lr where c < 0, else p
 *   momentum = beta2 * momentum + (1 - beta2) * gradient
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface LionSpec {
  readonly kind: 'lion';
  readonly beta1: number;
  readonly beta2: number;
  /** lambda; 0 leaves the term out. */
  readonly weightDecay: number;
}

const f = Math.fround;

export const lionFamily: KernelFamily<LionSpec> = {
  kind: 'lion',
  args: () => [
    f32Buffer('param', 'inout', (length) => length),
    f32Buffer('gradient', 'in', (length) => length),
    f32Buffer('momentum', 'inout', (length) => length),
    f32Buffer('hyper', 'in', () => 4),
    { name: 'length', access: 'literal' },
  ],
  bind(spec, { f32 }) {
    const { beta1, kept1, beta2, kept2, weightDecay } = lionConstants(spec);
    return (paramBytes, gradientBytes, momentumBytes, hyperBytes, length) => {
      const param = paramBytes! >>> 2;
      const gradient = gradientBytes! >>> 2;
      const momentum = momentumBytes! >>> 2;
      const learningRate = f32[hyperBytes! >>> 2]!;
      for (let i = 0; i < length!; i++) {
        let p = f32[param + i]!;
        if (weightDecay !== 0) p = f(p - f(f(p * weightDecay) * learningRate));
        const g = f32[gradient + i]!;
        const m = f32[momentum + i]!;
        const c = f(f(beta1 * m) + f(kept1 * g));
        f32[param + i] = f(p - (c > 0 ? learningRate : c < 0 ? -learningRate : 0));
        f32[momentum + i] = f(f(beta2 * m) + f(kept2 * g));
      }
    };
  },
  flops: ({ weightDecay }, length) => length * (weightDecay === 0 ? 7 : 10),
};

/** The f32 constants of a spec. */
export function lionConstants({ beta1, beta2, weightDecay }: LionSpec) {
  return {
    beta1: f(beta1),
    kept1: f(1 - beta1),
    beta2: f(beta2),
    kept2: f(1 - beta2),
    weightDecay: f(weightDecay),
  };
}
