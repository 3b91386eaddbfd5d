/** Losses: what `loss` options name, as kernel calls. */
import { ConfigError } from '../errors.ts';
import type { SoftmaxCrossEntropySpec } from '../kernels/softmax-cross-entropy.ts';
import type { LossPlan } from '../model/contracts.ts';

/** Names of losses with all their defaults, as in Keras. */
export type LossName = 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy';

/** A loss with its options, as plain data: what functions such as `categoricalCrossentropy()` return. */
export interface Loss {
  readonly name: LossName;
  readonly labelSmoothing: number;
}

export interface CrossentropyOptions {
  /**
   * s, from 0 to 1: what of the target is spread evenly over all classes (Szegedy et al. 2016). The target's class is
   * expected with probability 1 - s + s / classes. The reported loss is the smoothed one. Default 0.
   */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy between the targets' distribution and the softmax over the last axis, computed from the logits:
 * -sum over classes of target log(softmax(z)). Takes class indices or dense targets, whichever the data set has.
 */
export function categoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  return crossentropy('categoricalCrossentropy', options);
}

/** The same under Keras' name for class indices. */
export function sparseCategoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  return crossentropy('sparseCategoricalCrossentropy', options);
}

function crossentropy(name: LossName, { labelSmoothing = 0 }: CrossentropyOptions): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ConfigError({
      operation: name,
      argument: 'labelSmoothing',
      expected: 'a number from 0 to 1',
      received: String(labelSmoothing),
    });
  }
  return { name, labelSmoothing };
}

const BY_NAME = { categoricalCrossentropy, sparseCategoricalCrossentropy };

/** A loss by name with its defaults, or the given one. Throws ConfigError for anything else. */
export function resolveLoss(loss: LossName | Loss): Loss {
  const [name, options] = typeof loss === 'string' ? [loss, {}] : [loss?.name, loss];
  if (Object.hasOwn(BY_NAME, name)) return BY_NAME[name](options);
  throw new ConfigError({
    operation: 'fit',
    argument: 'loss',
    expected: `one of ${Object.keys(BY_NAME).join(', ')}`,
    received: JSON.stringify(loss) ?? 'undefined',
  });
}

/** The plan of a loss. `targets`: how the data set stores them. Throws ConfigError for unknown names. */
export function lossPlan(loss: LossName | Loss, targets: 'index' | 'dense'): LossPlan {
  const { name, labelSmoothing } = resolveLoss(loss);
  return {
    name: JSON.stringify([name, targets, labelSmoothing]),
    takesLogits: true,
    emit({ output, gradient, call, ...buffers }) {
      const spec: SoftmaxCrossEntropySpec = {
        kind: 'softmaxCrossEntropy',
        classes: output.view.channels,
        logitsStride: output.view.imageStride,
        targets,
        labelSmoothing,
        gradient: gradient !== undefined,
      };
      const { targets: expected, sampleScale, losses, correct } = buffers;
      const written = gradient === undefined ? [] : [gradient.origin];
      call(spec, [output.origin, expected, sampleScale, ...written, losses, correct, 'count']);
    },
  };
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
