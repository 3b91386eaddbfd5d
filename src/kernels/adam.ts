/**
 * One step of Adam (Kingma, Ba 2015, in the form of the end of section 2) on a range of parameters, as Keras
 * does it: the bias corrections are in the step size, and epsilon is added outside the root.
 *
 *   param, gradient, firstMoment, secondMoment  [length]
 *   hyper  [4]: hyper[0] = alpha = `adamStepSize(learningRate, beta1, beta2, step)`,
 *          hyper[1] = the learning rate lr, read only where `weightDecay` is not 0; the others are not read
 *
 * In this order, every operation rounded to f32; (1 - beta1) and (1 - beta2) are f64 differences rounded
 * once, epsilon and lambda (weightDecay) are rounded to f32:
 *
 *   firstMoment  = firstMoment + (gradient - firstMoment) * (1 - beta1)
 *   secondMoment = secondMoment + (gradient * gradient - secondMoment) * (1 - beta2)
 *   decayed      = param                     or  param - (param * lambda) * lr  where weightDecay is not 0
 *   param        = decayed - (alpha * firstMoment) / (sqrt(secondMoment) + epsilon)
 *
 * `weightDecay` is decoupled from the gradient (AdamW: Loshchilov, Hutter 2019).
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface AdamSpec {
  readonly kind: 'adam';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** lambda of AdamW; default 0, which leaves the term out. */
  readonly weightDecay?: number;
}

const f = Math.fround;

export const adamFamily: KernelFamily<AdamSpec> = {
  kind: 'adam',
  args: () => [
    f32Buffer('param', 'inout', (length) => length),
    f32Buffer('gradient', 'in', (length) => length),
    f32Buffer('firstMoment', 'inout', (length) => length),
    f32Buffer('secondMoment', 'inout', (length) => length),
    f32Buffer('hyper', 'in', () => 4),
    { name: 'length', access: 'literal' },
  ],
  bind(spec, { f32 }) {
    const { keep1, keep2, epsilon, weightDecay } = adamConstants(spec);
    const decays = weightDecay !== 0;
    return (paramBytes, gradientBytes, firstBytes, secondBytes, hyperBytes, length) => {
      const param = paramBytes! >>> 2;
      const gradient = gradientBytes! >>> 2;
      const first = firstBytes! >>> 2;
      const second = secondBytes! >>> 2;
      const alpha = f32[hyperBytes! >>> 2]!;
      const learningRate = f32[(hyperBytes! >>> 2) + 1]!;
      for (let i = 0; i < length!; i++) {
        const g = f32[gradient + i]!;
        const m = f(f32[first + i]! + f(f(g - f32[first + i]!) * keep1));
        const v = f(f32[second + i]! + f(f(f(g * g) - f32[second + i]!) * keep2));
        let p = f32[param + i]!;
        if (decays) p = f(p - f(f(p * weightDecay) * learningRate));
        f32[first + i] = m;
        f32[second + i] = v;
        f32[param + i] = f(p - f(f(alpha * m) / f(f(Math.sqrt(v)) + epsilon)));
      }
    };
  },
  flops: ({ weightDecay = 0 }, length) => length * (weightDecay === 0 ? 12 : 15),
};

/** The f32 constants of a spec: 1 - beta1, 1 - beta2, epsilon and lambda. */
export function adamConstants({ beta1, beta2, epsilon, weightDecay = 0 }: AdamSpec) {
  return { keep1: f(1 - beta1), keep2: f(1 - beta2), epsilon: f(epsilon), weightDecay: f(weightDecay) };
}

/**
 * alpha_t = learningRate * sqrt(1 - beta2^t) / (1 - beta1^t) in f64, for the step t = 1, 2, ...: a pure
 * function of its arguments.
 */
export function adamStepSize(learningRate: number, beta1: number, beta2: number, step: number): number {
  return (learningRate * Math.sqrt(1 - integerPower(beta2, step))) / (1 - integerPower(beta1, step));
}

/** base^exponent for an integer exponent >= 0, by squaring; relative error below exponent * 2^-52. */
function integerPower(base: number, exponent: number): number {
  let power = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
