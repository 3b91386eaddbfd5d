/** What a command line says about training, as options of `fit`. */
import {
  type Augmentation,
  adam,
  adamW,
  type Callback,
  categoricalCrossentropy,
  cosineDecay,
  cropAugmentation,
  type Dataset,
  earlyStopping,
  type FitOptions,
  type LearningRate,
  labelsOf,
  notebookAugmentation,
  type Optimizer,
  sgd,
  warmup,
} from '../../src/index.ts';
import { count } from '../command.ts';
import type { TrainingOptions } from './options.ts';

/** The options of `fit` that decide the weights. */
export async function recipeOf(options: TrainingOptions, train: Dataset): Promise<FitOptions> {
  const { epochs, batchSize, labelSmoothing, shuffle, onNonFinite, classWeight } = options;
  const augmentation = AUGMENTATIONS[options.augment];
  const stepsPerEpoch = Math.ceil(train.size / Math.min(batchSize, train.size));
  return {
    optimizer: optimizerOf(options, stepsPerEpoch),
    loss: labelSmoothing > 0 ? categoricalCrossentropy({ labelSmoothing }) : 'categoricalCrossentropy',
    epochs,
    batchSize,
    shuffle,
    onNonFinite,
    ...(augmentation && { augmentation }),
    ...(classWeight === 'balanced' && { classWeight: balancedWeights(await labelsOf(train), train) }),
  };
}

const AUGMENTATIONS: Readonly<Record<TrainingOptions['augment'], Augmentation | undefined>> = {
  notebook: notebookAugmentation,
  crop: cropAugmentation,
  light: { widthShiftRange: 0.1, heightShiftRange: 0.1, horizontalFlip: true },
  none: undefined,
};

/** Parameters that weight decay leaves alone: biases, and what normalisations scale and shift by. */
const NOT_DECAYED = ['bias', 'gamma', 'beta'];

function optimizerOf(options: TrainingOptions, stepsPerEpoch: number): Optimizer {
  const { optimizer, momentum, weightDecay, clipNorm, ema } = options;
  const common = {
    learningRate: rateOf(options, stepsPerEpoch),
    ...(weightDecay > 0 && { weightDecay, excludeFromWeightDecay: NOT_DECAYED }),
    ...(clipNorm !== undefined && { globalClipNorm: clipNorm }),
    ...(ema !== undefined && { useEma: true, emaMomentum: ema }),
  };
  if (optimizer === 'sgd') return sgd({ ...common, momentum });
  return optimizer === 'adam' ? adam(common) : adamW({ weightDecay, ...common });
}

function rateOf(options: TrainingOptions, stepsPerEpoch: number): LearningRate {
  const { learningRate, schedule, epochs } = options;
  const total = epochs * stepsPerEpoch;
  const warmupSteps = Math.min(total - 1, Math.round(options.warmup * stepsPerEpoch));
  const decaySteps = total - warmupSteps;
  const rate =
    schedule === 'constant' ? learningRate : cosineDecay({ initialLearningRate: learningRate, decaySteps });
  return warmupSteps === 0 ? rate : warmup(rate, { warmupSteps });
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
  const { learningRate, momentum, schedule, epochs, batchSize, seed, augment, classWeight } = options;
  const name = { adam: 'Adam', adamW: 'AdamW', sgd: 'SGD' }[options.optimizer];
  const shape = schedule === 'cosine' ? ' falling by a cosine' : '';
  const rate = `${name} ${learningRate}${shape}${momentum > 0 ? `, momentum ${momentum}` : ''}`;
  const more = [
    augment === 'none' ? 'without augmentation' : `augmentation '${augment}'`,
    ...(options.warmup > 0 ? [`warm-up ${count(options.warmup, 'epoch')}`] : []),
    ...(options.weightDecay > 0 ? [`weight decay ${options.weightDecay}`] : []),
    ...(options.labelSmoothing > 0 ? [`label smoothing ${options.labelSmoothing}`] : []),
    ...(options.clipNorm === undefined ? [] : [`gradients clipped at ${options.clipNorm}`]),
    ...(options.ema === undefined ? [] : [`weights averaged (${options.ema})`]),
    ...(classWeight === 'balanced' ? ['classes balanced'] : []),
    ...(options.shuffle ? [] : ['not shuffled']),
    ...(options.earlyStopping === undefined ? [] : [`patience ${count(options.earlyStopping, 'epoch')}`]),
    `numerics '${options.numerics}'`,
  ];
  return [`${rate}, ${count(epochs, 'epoch')}, batches of ${batchSize}, seed ${seed}`, more.join(', ')];
}
