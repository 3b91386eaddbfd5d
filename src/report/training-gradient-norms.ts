/** A callback that averages the gradient norms of an epoch's steps. */
import { ConfigError } from '../errors.ts';
import type { Callback } from '../training/callbacks/callback.ts';
import type { GradientNorm } from './charts/gradients.ts';

/** The callback, and what it has seen so far. */
export interface TrainingGradientNorms extends Callback {
  readonly norms: readonly GradientNorm[];
}

/**
 * The mean over each epoch's steps of every layer's gradient norm, as the run itself computed it, for any loss: where
 * the first layers' are far smaller than the last ones', gradients vanish. Needs `gradientNorms: true` in `fit`, and
 * throws ConfigError without it. An epoch that a resumed run finishes counts the steps since.
 */
export function trainingGradientNorms(): TrainingGradientNorms {
  let norms: GradientNorm[] = [];
  let sums = new Map<string, number>();
  let steps = 0;
  return {
    get norms() {
      return norms;
    },
    onTrainBegin({ options }) {
      norms = [];
      if (options.gradientNorms === true) return;
      throw new ConfigError({
        operation: 'trainingGradientNorms',
        argument: 'gradientNorms',
        expected: 'fit({ gradientNorms: true })',
        received: String(options.gradientNorms),
      });
    },
    onBatchEnd({ gradientNorms }) {
      if (gradientNorms === undefined) return;
      steps += 1;
      for (const [layer, norm] of Object.entries(gradientNorms)) {
        sums.set(layer, (sums.get(layer) ?? 0) + norm);
      }
    },
    onEpochEnd({ epoch }) {
      for (const [layer, sum] of sums) norms.push({ epoch, layer, norm: sum / steps });
      sums = new Map();
      steps = 0;
    },
  };
}
