/** A callback that averages the gradient norms of an epoch's steps. */
import { ConfigError } from '../errors.ts';
import { isJsonObject } from '../io/json-value.ts';
import type { Callback } from '../training/callbacks/callback.ts';
import type { GradientNorm } from './charts/gradients.ts';
import { keptNorms, readNorms } from './kept-norms.ts';

/** The callback, and what it has seen so far. */
export interface TrainingGradientNorms extends Callback {
  readonly norms: readonly GradientNorm[];
}

/**
 * The mean over each epoch's steps of every layer's gradient norm, as the run itself computed it, for any loss: where
 * the first layers' are far smaller than the last ones', gradients vanish. Needs `gradientNorms: true` in `fit`, and
 * throws ConfigError without it. A run that goes on from a checkpoint goes on with them.
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
      sums = new Map();
      steps = 0;
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
    saveState: () => ({ data: { norms: keptNorms(norms), sums: Object.fromEntries(sums), steps } }),
    restoreState({ data }) {
      const found = isJsonObject(data) ? data : {};
      norms = readNorms('trainingGradientNorms', found.norms);
      const kept = Object.entries(isJsonObject(found.sums) ? found.sums : {});
      if (typeof found.steps !== 'number' || kept.some(([, sum]) => typeof sum !== 'number')) {
        throw new ConfigError({
          operation: 'trainingGradientNorms',
          argument: 'saved state',
          expected: 'sums of norms by layer, and a number of steps',
          received: JSON.stringify(data).slice(0, 200),
        });
      }
      sums = new Map(kept as [string, number][]);
      ({ steps } = found as { readonly steps: number });
    },
  };
}
