/** A callback that measures the gradient of each layer after each epoch. */
import { createBatchBuffer, type Dataset } from '../data/dataset.ts';
import { isNamed, type NamedDataset } from '../data/named-dataset.ts';
import { ConfigError } from '../errors.ts';
import type { Callback } from '../training/callbacks/callback.ts';
import type { RunOptions } from '../training/state.ts';
import { runOptionsOf } from '../training/where.ts';
import type { GradientNorm } from './charts/gradients.ts';
import { keptNorms, readNorms } from './kept-norms.ts';

export interface GradientNormsOptions extends RunOptions {
  /** Samples of the training set, from its beginning. Default 32. */
  readonly samples?: number;
}

/** The callback, and what it has measured so far. */
export interface GradientNorms extends Callback {
  readonly norms: readonly GradientNorm[];
}

/**
 * L2 norms over all weights of a layer, of the mean loss of a fixed batch, without augmentation; dropout is at work as
 * in training. Changes nothing of the run. Classification with the cross-entropy only.
 */
export function gradientNorms(options: GradientNormsOptions = {}): GradientNorms {
  const { samples = 32, ...where } = options;
  let norms: GradientNorm[] = [];
  let batch: Awaited<ReturnType<typeof firstBatch>> | undefined;
  return {
    get norms() {
      return norms;
    },
    onTrainBegin: async ({ dataset }) => {
      norms = [];
      batch = await firstBatch(dataset, samples);
    },
    onEpochEnd: async ({ epoch }, { model, options: run }) => {
      const { gradients } = await model.gradientsOnBatch(batch!, { ...runOptionsOf(run), ...where });
      const squares = new Map<string, number>();
      for (const [name, { data }] of Object.entries(gradients)) {
        const layer = name.slice(0, name.lastIndexOf('/'));
        const sum = data.reduce((total, value) => total + value * value, 0);
        squares.set(layer, (squares.get(layer) ?? 0) + sum);
      }
      for (const [layer, sum] of squares) norms.push({ epoch, layer, norm: Math.sqrt(sum) });
    },
    saveState: () => ({ data: keptNorms(norms) }),
    restoreState({ data }) {
      norms = readNorms('gradientNorms', data);
    },
  };
}

async function firstBatch(dataset: Dataset | NamedDataset, samples: number) {
  if (isNamed(dataset)) {
    throw new ConfigError({
      operation: 'gradientNorms',
      argument: 'dataset',
      expected: 'samples of one input',
      received: `inputs by name: ${Object.keys(dataset.inputs).join(', ')}`,
      hint: 'take trainingGradientNorms() with fit({ gradientNorms: true })',
    });
  }
  const count = Math.min(samples, dataset.size);
  const buffer = createBatchBuffer(dataset, count);
  await dataset.read(
    Uint32Array.from({ length: count }, (_, i) => i),
    buffer,
  );
  const { normalization } = dataset;
  return { ...buffer, ...(normalization && { normalization }) };
}
