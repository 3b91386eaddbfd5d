/**
 * One step of RMSprop (Hinton 2012; Graves 2013 for the centered form) on a range of parameters, as Keras does it.
 *
 *   param, gradient, square  [length]
 *   mean                     [length], an argument only where `centered`
 *   momentum                 [length], an argument only where `momentum` is not 0
 *   hyper                    [4]: hyper[0] is the learning rate lr, the others are not read
 *
 * In this order, every operation rounded to f32; rho, mu (momentum), epsilon and lambda (weightDecay) are rounded to
 * f32, (1 - rho) is an f64 difference rounded once:
 *
 *   p      = param                     or  param - (param * lambda) * lr   where weightDecay is not 0
 *   square = rho * square + (1 - rho) * (gradient * gradient)
 *   d      = square                    or, centered,
 *   mean   = rho * mean + (1 - rho) * gradient,  d = square - mean * mean, and 0 where that is negative
 *   step   = (lr * gradient) / sqrt(d + epsilon)
 *   param  = p - step                  or, with momentum,
 *   momentum = mu * momentum + step,  param = p - momentum
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface RmspropSpec {
  readonly kind: 'rmsprop';
  readonly rho: number;
  /** mu, from 0 to 1; with 0 there is no momentum. */
  readonly momentum: number;
  readonly epsilon: number;
  readonly centered: boolean;
  /** lambda; 0 leaves the term out. */
  readonly weightDecay: number;
}

const f = Math.fround;

export const rmspropFamily: KernelFamily<RmspropSpec> = {
  kind: 'rmsprop',
  args: ({ centered, momentum }) => [
    f32Buffer('param', 'inout', (length) => length),
    f32Buffer('gradient', 'in', (length) => length),
    f32Buffer('square', 'inout', (length) => length),
    ...(centered ? [f32Buffer('mean', 'inout', (length) => length)] : []),
    ...(momentum === 0 ? [] : [f32Buffer('momentum', 'inout', (length) => length)]),
    f32Buffer('hyper', 'in', () => 4),
    { name: 'length', access: 'literal' },
  ],
  bind(spec, { f32 }) {
    const { rho, kept, momentum, epsilon, weightDecay } = rmspropConstants(spec);
    const { centered } = spec;
    const moves = spec.momentum !== 0;
    return (...args) => {
      const [param, gradient, square, ...rest] = args.slice(0, -2).map((bytes) => bytes >>> 2);
      const mean = centered ? rest[0]! : 0;
      const velocity = moves ? rest[centered ? 1 : 0]! : 0;
      const learningRate = f32[args.at(-2)! >>> 2]!;
      const length = args.at(-1)!;
      for (let i = 0; i < length; i++) {
        let p = f32[param! + i]!;
        if (weightDecay !== 0) p = f(p - f(f(p * weightDecay) * learningRate));
        const g = f32[gradient! + i]!;
        const s = f(f(rho * f32[square! + i]!) + f(kept * f(g * g)));
        f32[square! + i] = s;
        let d = s;
        if (centered) {
          const m = f(f(rho * f32[mean + i]!) + f(kept * g));
          f32[mean + i] = m;
          d = f(s - f(m * m));
          if (d < 0) d = 0;
        }
        let step = f(f(learningRate * g) / f(Math.sqrt(f(d + epsilon))));
        if (moves) {
          step = f(f(momentum * f32[velocity + i]!) + step);
          f32[velocity + i] = step;
        }
        f32[param! + i] = f(p - step);
      }
    };
  },
  flops: ({ centered, momentum, weightDecay }, length) =>
    length * (9 + (centered ? 5 : 0) + (momentum === 0 ? 0 : 2) + (weightDecay === 0 ? 0 : 3)),
};

/** The f32 constants of a spec. */
export function rmspropConstants({ rho, momentum, epsilon, weightDecay }: RmspropSpec) {
  return {
    rho: f(rho),
    kept: f(1 - rho),
    momentum: f(momentum),
    epsilon: f(epsilon),
    weightDecay: f(weightDecay),
  };
}
