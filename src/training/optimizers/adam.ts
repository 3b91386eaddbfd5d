/** Adam and AdamW. */
import { type AdamSpec, adamStepSize } from '../../kernels/adam.ts';
import { checkOptions, type OptionNames } from '../../known-options.ts';
import type { LearningRate } from '../learning-rate.ts';
import {
  checkFraction,
  checkNumber,
  createOptimizer,
  OPTIMIZER_OPTIONS,
  type Optimizer,
  type OptimizerOptions,
} from './optimizer.ts';

export interface AdamOptions extends OptimizerOptions {
  /** Default 0.001. */
  readonly learningRate?: LearningRate;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Added outside the square root; default 1e-7. */
  readonly epsilon?: number;
}

const OPTIONS: OptionNames<AdamOptions> = {
  learningRate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  ...OPTIMIZER_OPTIONS,
};

/**
 * Adam (Kingma and Ba 2015, the form before section 2.1): m += (1-b1)(g-m), v += (1-b2)(g^2-v),
 * w -= lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + epsilon).
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions('adam', options, OPTIONS);
  return namedAdam('adam', options);
}

/** Adam with decoupled weight decay (Loshchilov, Hutter 2019), by default 0.004 as in Keras. */
export function adamW(options: AdamOptions = {}): Optimizer {
  checkOptions('adamW', options, OPTIONS);
  return namedAdam('adamW', { ...options, weightDecay: options.weightDecay ?? 0.004 });
}

function namedAdam(name: string, options: AdamOptions): Optimizer {
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options;
  checkFraction(name, 'beta1', beta1);
  checkFraction(name, 'beta2', beta2);
  checkNumber(name, 'epsilon', epsilon);
  return createOptimizer(
    {
      name,
      learningRate,
      slots: ['firstMoment', 'secondMoment'],
      specFor: (weightDecay): AdamSpec => ({
        kind: 'adam',
        beta1,
        beta2,
        epsilon,
        ...(weightDecay !== 0 && { weightDecay }),
      }),
      stepNumber: (rate, step) => adamStepSize(rate, beta1, beta2, step + 1),
    },
    options,
  );
}
