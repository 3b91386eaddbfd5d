/** Stochastic gradient descent. */
import type { SgdSpec } from '../../kernels/sgd.ts';
import { checkOptions, type OptionNames } from '../../known-options.ts';
import type { LearningRate } from '../learning-rate.ts';
import {
  checkFraction,
  checkNumber,
  createOptimizer,
  OPTIMIZER_OPTIONS,
  type Optimizer,
  type OptimizerOptions,
  refuse,
} from './optimizer.ts';

export interface SgdOptions extends OptimizerOptions {
  /** Default 0.01. */
  readonly learningRate?: LearningRate;
  /** Default 0. */
  readonly momentum?: number;
  /** Nesterov's form; default false. */
  readonly nesterov?: boolean;
  /**
   * The other weight decay, that of PyTorch's SGD and of papers before 2019: l2 * w is added to the gradient, behind
   * clipping, and goes through the momentum with it. Default 0; not beside `weightDecay`.
   */
  readonly l2?: number;
}

const OPTIONS: OptionNames<SgdOptions> = {
  learningRate: true,
  momentum: true,
  nesterov: true,
  l2: true,
  ...OPTIMIZER_OPTIONS,
};

/** Stochastic gradient descent: v = momentum v - lr g, w += v; Nesterov: w += momentum v - lr g. */
export function sgd(options: SgdOptions = {}): Optimizer {
  checkOptions('sgd', options, OPTIONS);
  const { learningRate = 0.01, momentum = 0, nesterov = false, l2 = 0, weightDecay = 0 } = options;
  checkFraction('sgd', 'momentum', momentum);
  checkNumber('sgd', 'l2', l2);
  const coupled = l2 !== 0;
  if (coupled && weightDecay !== 0) refuse('sgd', 'l2', 'none beside weightDecay', l2);
  return createOptimizer(
    {
      name: 'sgd',
      learningRate,
      slots: momentum === 0 ? [] : ['velocity'],
      specFor(decay): SgdSpec {
        const plain = { kind: 'sgd', momentum, nesterov } as const;
        if (coupled || decay === 0) return { ...plain, weightDecay: decay };
        return { ...plain, weightDecay: decay, decoupled: true };
      },
    },
    coupled ? { ...options, weightDecay: l2 } : options,
  );
}
