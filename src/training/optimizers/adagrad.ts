/** Adagrad. */
import type { AdagradSpec } from '../../kernels/adagrad.ts';
import { checkOptions, type OptionNames } from '../../known-options.ts';
import type { LearningRate } from '../learning-rate.ts';
import {
  checkNumber,
  createOptimizer,
  OPTIMIZER_OPTIONS,
  type Optimizer,
  type OptimizerOptions,
} from './optimizer.ts';

export interface AdagradOptions extends OptimizerOptions {
  /** Default 0.001. */
  readonly learningRate?: LearningRate;
  /** What the sums of squares begin with; default 0.1. */
  readonly initialAccumulatorValue?: number;
  /** Added inside the square root; default 1e-7. */
  readonly epsilon?: number;
}

const OPTIONS: OptionNames<AdagradOptions> = {
  learningRate: true,
  initialAccumulatorValue: true,
  epsilon: true,
  ...OPTIMIZER_OPTIONS,
};

/** Adagrad (Duchi, Hazan, Singer 2011): v += g^2, w -= lr g / sqrt(v + epsilon). */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  checkOptions('adagrad', options, OPTIONS);
  const { learningRate = 0.001, initialAccumulatorValue: initialState = 0.1, epsilon = 1e-7 } = options;
  checkNumber('adagrad', 'initialAccumulatorValue', initialState);
  checkNumber('adagrad', 'epsilon', epsilon);
  const slots = ['accumulator'];
  const specFor = (weightDecay: number): AdagradSpec => ({ kind: 'adagrad', epsilon, weightDecay });
  return createOptimizer({ name: 'adagrad', learningRate, slots, specFor, initialState }, options);
}
