/** Losses: what `loss` options name, as kernel calls. */
import { ConfigError } from '../errors.ts';
import type { SoftmaxCrossEntropySpec } from '../kernels/softmax-cross-entropy.ts';
import type { LossPlan } from '../model/contracts.ts';

/** Names of losses, as in Keras. Both take class indices or dense targets, whichever the data set has. */
export type LossName = 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy';

/**
 * Softmax cross-entropy over the last axis, computed from the logits: loss = log(sum exp z) - z_target.
 * `targets`: how the data set stores them.
 */
function crossEntropy(name: LossName, targets: 'index' | 'dense'): LossPlan {
  return {
    name: `${name}/${targets}`,
    takesLogits: true,
    emit({ output, gradient, call, ...buffers }) {
      const spec: SoftmaxCrossEntropySpec = {
        kind: 'softmaxCrossEntropy',
        classes: output.view.channels,
        logitsStride: output.view.imageStride,
        targets,
        labelSmoothing: 0,
        gradient: gradient !== undefined,
      };
      const { targets: expected, sampleScale, losses, correct } = buffers;
      const written = gradient === undefined ? [] : [gradient.origin];
      call(spec, [output.origin, expected, sampleScale, ...written, losses, correct, 'count']);
    },
  };
}

/** The plan of a named loss. Throws ConfigError for unknown names. */
export function lossPlan(name: LossName, targets: 'index' | 'dense'): LossPlan {
  const known: readonly LossName[] = ['categoricalCrossentropy', 'sparseCategoricalCrossentropy'];
  if (!known.includes(name)) {
    throw new ConfigError({
      operation: 'fit',
      argument: 'loss',
      expected: `one of ${known.join(', ')}`,
      received: JSON.stringify(name) ?? 'undefined',
    });
  }
  return crossEntropy(name, targets);
}

/** A weight for each output, 1 where none is named; undefined where all are 1. Throws ConfigError. */
export function outputWeights(
  operation: string,
  outputs: readonly string[],
  lossWeights: Readonly<Record<string, number>> = {},
): readonly number[] | undefined {
  for (const [name, weight] of Object.entries(lossWeights)) {
    if (outputs.includes(name) && Number.isFinite(weight) && weight >= 0) continue;
    throw new ConfigError({
      operation,
      argument: `lossWeights.${name}`,
      expected: `a finite weight from 0 on for one of ${outputs.join(', ')}`,
      received: String(weight),
    });
  }
  const weights = outputs.map((name) => lossWeights[name] ?? 1);
  return weights.every((weight) => weight === 1) ? undefined : weights;
}
