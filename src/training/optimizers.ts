/** Optimizers: Keras' forms and defaults. */
import { ConfigError } from '../errors.ts';
import { type AdamSpec, adamStepSize } from '../kernels/adam.ts';
import type { SgdSpec } from '../kernels/sgd.ts';
import type { OptimizerPlan } from '../model/contracts.ts';

/** A rate, or a pure function of the step (counted from 0). */
export type LearningRate = number | ((step: number) => number);

/** An optimizer as `fit` takes it. */
export interface Optimizer {
  readonly name: 'sgd' | 'adam';
  readonly plan: OptimizerPlan;
  readonly learningRate: LearningRate;
  /**
   * The numbers of a step that the kernel reads: [learning rate or step size]. `step` counts from 0; `rate` is the
   * learning rate of the step (default: what `learningRate` gives for it).
   */
  hyper(step: number, rate?: number): readonly number[];
}

export interface SgdOptions {
  /** Default 0.01. */
  readonly learningRate?: LearningRate;
  /** Default 0. */
  readonly momentum?: number;
  /** Nesterov's form; default false. */
  readonly nesterov?: boolean;
}

export interface AdamOptions {
  /** Default 0.001. */
  readonly learningRate?: LearningRate;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Added outside the square root; default 1e-7. */
  readonly epsilon?: number;
}

/** Stochastic gradient descent: v = momentum v - lr g, w += v; Nesterov: w += momentum v - lr g. */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { learningRate = 0.01, momentum = 0, nesterov = false } = options;
  checkRate('sgd', learningRate);
  checkFraction('sgd', 'momentum', momentum);
  const spec: SgdSpec = { kind: 'sgd', momentum, nesterov, weightDecay: 0 };
  const slots = momentum === 0 ? [] : ['velocity'];
  return {
    name: 'sgd',
    plan: { spec, slots },
    learningRate,
    hyper: (step, rate = rateAt(learningRate, step)) => [rate, 0, 0, 0],
  };
}

/**
 * Adam (Kingma and Ba 2015, the form before section 2.1): m += (1-b1)(g-m), v += (1-b2)(g^2-v),
 * w -= lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + epsilon).
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options;
  checkRate('adam', learningRate);
  checkFraction('adam', 'beta1', beta1);
  checkFraction('adam', 'beta2', beta2);
  if (!(epsilon >= 0 && epsilon < Infinity)) {
    const expected = 'a finite number from 0 on';
    throw new ConfigError({ operation: 'adam', argument: 'epsilon', expected, received: String(epsilon) });
  }
  const spec: AdamSpec = { kind: 'adam', beta1, beta2, epsilon };
  return {
    name: 'adam',
    plan: { spec, slots: ['firstMoment', 'secondMoment'] },
    learningRate,
    hyper: (step, rate = rateAt(learningRate, step)) => [adamStepSize(rate, beta1, beta2, step + 1), 0, 0, 0],
  };
}

/** An optimizer by name with its defaults, or the given one. Throws ConfigError for unknown names. */
export function resolveOptimizer(optimizer: Optimizer | 'sgd' | 'adam'): Optimizer {
  if (optimizer === 'sgd') return sgd();
  if (optimizer === 'adam') return adam();
  if (typeof optimizer === 'object' && optimizer !== null && typeof optimizer.hyper === 'function')
    return optimizer;
  throw new ConfigError({
    operation: 'fit',
    argument: 'optimizer',
    expected: "adam(), sgd(), 'adam' or 'sgd'",
    received: JSON.stringify(optimizer) ?? 'undefined',
  });
}

/** The learning rate of a step, counted from 0. Throws ConfigError where a function gives none. */
export function rateAt(rate: LearningRate, step: number): number {
  const value = typeof rate === 'number' ? rate : rate(step);
  if (typeof rate !== 'number') checkRate(`learning rate of step ${step}`, value);
  return value;
}

function checkRate(operation: string, rate: LearningRate): void {
  if (typeof rate === 'function' || (Number.isFinite(rate) && rate >= 0)) return;
  throw new ConfigError({
    operation,
    argument: 'learningRate',
    expected: 'a finite number from 0 on, or a function of the step',
    received: String(rate),
  });
}

function checkFraction(operation: string, argument: string, value: number): void {
  if (value >= 0 && value < 1) return;
  throw new ConfigError({ operation, argument, expected: '0 to below 1', received: String(value) });
}
