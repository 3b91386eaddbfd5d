/** RMSprop. */
import type { RmspropSpec } from '../../kernels/rmsprop.ts';
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

export interface RmspropOptions extends OptimizerOptions {
  /** Default 0.001. */
  readonly learningRate?: LearningRate;
  /** What of the average of squares stays at each step; default 0.9. */
  readonly rho?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Added inside the square root; default 1e-7. */
  readonly epsilon?: number;
  /** Whether gradients are divided by their standard deviation instead of their root mean square; default false. */
  readonly centered?: boolean;
}

const OPTIONS: OptionNames<RmspropOptions> = {
  learningRate: true,
  rho: true,
  momentum: true,
  epsilon: true,
  centered: true,
  ...OPTIMIZER_OPTIONS,
};

/** RMSprop (Hinton 2012): v = rho v + (1-rho) g^2, w -= lr g / sqrt(v + epsilon). */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  checkOptions('rmsprop', options, OPTIONS);
  const { learningRate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = options;
  checkFraction('rmsprop', 'rho', rho);
  checkFraction('rmsprop', 'momentum', momentum);
  checkNumber('rmsprop', 'epsilon', epsilon);
  if (typeof centered !== 'boolean') refuse('rmsprop', 'centered', 'true or false', centered);
  const slots = ['square', ...(centered ? ['mean'] : []), ...(momentum === 0 ? [] : ['momentum'])];
  const specFor = (weightDecay: number): RmspropSpec => ({
    kind: 'rmsprop',
    rho,
    momentum,
    epsilon,
    centered,
    weightDecay,
  });
  return createOptimizer({ name: 'rmsprop', learningRate, slots, specFor }, options);
}
