/**
 * One step of stochastic gradient descent on a range of parameters, with momentum, in Keras' form.
 *
 *   param, gradient, velocity  [length]; velocity is an argument only where `momentum` is not 0
 *   hyper                      [4]: hyper[0] is the learning rate lr, the others are not read
 *
 * In this order, every operation rounded to f32, mu and lambda being momentum and weightDecay in f32:
 *
 *   g    = gradient                          or  gradient + lambda * param  where weightDecay is not 0
 *   p    = param                             and g = gradient, p = param - (param * lambda) * lr  if `decoupled`
 *   step = lr * g
 *   param = p - step                         without momentum; otherwise
 *   velocity = mu * velocity - step
 *   param = p + velocity                     or, with Nesterov's look-ahead,
 *   param = p + (mu * velocity - step)
 *
 * `weightDecay` is the L2 term of the loss lambda/2 |param|^2, added to the gradient, or decoupled from it
 * (Loshchilov, Hutter 2019).
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface SgdSpec {
  readonly kind: 'sgd';
  /** mu, from 0 to 1; with 0 there is no velocity. */
  readonly momentum: number;
  /** Whether to step from where the momentum leads (Nesterov); has no effect without momentum. */
  readonly nesterov: boolean;
  /** lambda; 0 leaves the term out. */
  readonly weightDecay: number;
  /** Whether the decay goes past the gradient and its momentum; default false. */
  readonly decoupled?: boolean;
}

const f = Math.fround;

export const sgdFamily: KernelFamily<SgdSpec> = {
  kind: 'sgd',
  args: ({ momentum }) => [
    f32Buffer('param', 'inout', (length) => length),
    f32Buffer('gradient', 'in', (length) => length),
    ...(momentum === 0 ? [] : [f32Buffer('velocity', 'inout', (length) => length)]),
    f32Buffer('hyper', 'in', () => 4),
    { name: 'length', access: 'literal' },
  ],
  bind(spec, { f32 }) {
    const momentum = f(spec.momentum);
    const weightDecay = f(spec.weightDecay);
    const { nesterov, decoupled = false } = spec;
    const decays = spec.weightDecay !== 0 && decoupled;
    const adds = spec.weightDecay !== 0 && !decoupled;

    function plain(paramBytes: number, gradientBytes: number, hyperBytes: number, length: number): void {
      const param = paramBytes >>> 2;
      const gradient = gradientBytes >>> 2;
      const learningRate = f32[hyperBytes >>> 2]!;
      for (let i = 0; i < length; i++) {
        let p = f32[param + i]!;
        const g = adds ? f(f32[gradient + i]! + f(weightDecay * p)) : f32[gradient + i]!;
        if (decays) p = f(p - f(f(p * weightDecay) * learningRate));
        f32[param + i] = f(p - f(learningRate * g));
      }
    }

    function withMomentum(
      paramBytes: number,
      gradientBytes: number,
      velocityBytes: number,
      hyperBytes: number,
      length: number,
    ): void {
      const param = paramBytes >>> 2;
      const gradient = gradientBytes >>> 2;
      const velocity = velocityBytes >>> 2;
      const learningRate = f32[hyperBytes >>> 2]!;
      for (let i = 0; i < length; i++) {
        let p = f32[param + i]!;
        const g = adds ? f(f32[gradient + i]! + f(weightDecay * p)) : f32[gradient + i]!;
        const step = f(learningRate * g);
        const v = f(f(momentum * f32[velocity + i]!) - step);
        f32[velocity + i] = v;
        if (decays) p = f(p - f(f(p * weightDecay) * learningRate));
        f32[param + i] = f(p + (nesterov ? f(f(momentum * v) - step) : v));
      }
    }

    return (...args) => {
      if (spec.momentum === 0) plain(...(args as [number, number, number, number]));
      else withMomentum(...(args as [number, number, number, number, number]));
    };
  },
  flops: ({ momentum, nesterov, weightDecay, decoupled }, length) =>
    length * ((momentum === 0 ? 2 : nesterov ? 6 : 4) + (weightDecay === 0 ? 0 : decoupled ? 3 : 2)),
};
