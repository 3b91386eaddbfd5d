/** What a command line says about training, as options of `fit`. */
import {
  adam,
  type Callback,
  type Dataset,
  earlyStopping,
  type FitOptions,
  labelsOf,
  notebookAugmentation,
  type Optimizer,
  sgd,
} from '../../src/index.ts';
import { count } from '../command.ts';
import type { TrainingOptions } from './options.ts';

/** The options of `fit` that decide the weights. */
export async function recipeOf(options: TrainingOptions, train: Dataset): Promise<FitOptions> {
  const { epochs, batchSize, augment, shuffle, onNonFinite, classWeight } = options;
  return {
    optimizer: optimizerOf(options),
    loss: 'categoricalCrossentropy',
    epochs,
    batchSize,
    shuffle,
    onNonFinite,
    ...(augment && { augmentation: notebookAugmentation }),
    ...(classWeight === 'balanced' && { classWeight: balancedWeights(await labelsOf(train), train) }),
  };
}

function optimizerOf({ optimizer, learningRate, momentum }: TrainingOptions): Optimizer {
  return optimizer === 'adam' ? adam({ learningRate }) : sgd({ learningRate, momentum });
}

/** Samples / (classes x samples of the class), as scikit-learn's 'balanced'; 0 for a class without samples. */
function balancedWeights(labels: Int32Array, { targets }: Dataset): number[] {
  const classes = targets.kind === 'index' ? targets.classes : 1;
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label] = counts[label]! + 1;
  return counts.map((samples) => (samples === 0 ? 0 : labels.length / (classes * samples)));
}

/** The figure that tells which epoch is best. */
export function monitorOf({ monitor }: TrainingOptions, validated: boolean): string {
  return monitor ?? (validated ? 'valAccuracy' : 'accuracy');
}

/** Ends the run early, and brings the best weights back, where the options say so. */
export function stoppingOf(options: TrainingOptions, monitor: string): Callback[] {
  const { earlyStopping: patience, restoreBest, minDelta, epochs } = options;
  if (patience === undefined && !restoreBest) return [];
  return [
    earlyStopping({ monitor, minDelta, patience: patience ?? epochs, restoreBestWeights: restoreBest }),
  ];
}

/** The recipe in a line or two, for people. */
export function describeRecipe(options: TrainingOptions): string[] {
  const { optimizer, learningRate, momentum, epochs, batchSize, seed, augment, classWeight } = options;
  const rate = `${optimizer === 'adam' ? 'Adam' : 'SGD'} ${learningRate}${momentum > 0 ? `, momentum ${momentum}` : ''}`;
  const more = [
    `${augment ? 'with' : 'without'} augmentation`,
    ...(classWeight === 'balanced' ? ['classes balanced'] : []),
    ...(options.shuffle ? [] : ['not shuffled']),
    ...(options.earlyStopping === undefined ? [] : [`patience ${count(options.earlyStopping, 'epoch')}`]),
    `numerics '${options.numerics}'`,
  ];
  return [`${rate}, ${count(epochs, 'epoch')}, batches of ${batchSize}, seed ${seed}`, more.join(', ')];
}
