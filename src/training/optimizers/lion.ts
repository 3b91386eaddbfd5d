/** Lion. */
import type { LionSpec } from '../../kernels/lion.ts';
import { checkOptions, type OptionNames } from '../../known-options.ts';
import type { LearningRate } from '../learning-rate.ts';
import {
  checkFraction,
  createOptimizer,
  OPTIMIZER_OPTIONS,
  type Optimizer,
  type OptimizerOptions,
} from './optimizer.ts';

export interface LionOptions extends OptimizerOptions {
  /** Default 0.001; a third to a tenth of Adam's is usual. */
  readonly learningRate?: LearningRate;
  /** Of the average that decides the direction; default 0.9. */
  readonly beta1?: number;
  /** Of the average that is kept; default 0.99. */
  readonly beta2?: number;
}

const OPTIONS: OptionNames<LionOptions> = {
  learningRate: true,
  beta1: true,
  beta2: true,
  ...OPTIMIZER_OPTIONS,
};

/** Lion (Chen et al. 2023): w -= lr sign(b1 m + (1-b1) g), m = b2 m + (1-b2) g. */
export function lion(options: LionOptions = {}): Optimizer {
  checkOptions('lion', options, OPTIONS);
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.99 } = options;
  checkFraction('lion', 'beta1', beta1);
  checkFraction('lion', 'beta2', beta2);
  const slots = ['momentum'];
  const specFor = (weightDecay: number): LionSpec => ({ kind: 'lion', beta1, beta2, weightDecay });
  return createOptimizer({ name: 'lion', learningRate, slots, specFor }, options);
}
