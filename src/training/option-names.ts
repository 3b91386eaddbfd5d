/**
 * Names of the options of running a model. Evaluation and single batches take those of `fit`, too, so that one object
 * may serve them all.
 */
import type { OptionNames } from '../known-options.ts';
import type { EvaluateOptions, PredictOptions } from './evaluate.ts';
import type { FitOptions } from './fit.ts';
import type { BatchOptions } from './on-batch.ts';
import type { RunOptions } from './state.ts';

const RUN_OPTIONS: OptionNames<RunOptions> = { threads: true, engine: true, wide: true };

export const FIT_OPTIONS: OptionNames<FitOptions> = {
  optimizer: true,
  loss: true,
  lossWeights: true,
  metrics: true,
  epochs: true,
  initialEpoch: true,
  batchSize: true,
  validation: true,
  shuffle: true,
  augmentation: true,
  augmentedInputs: true,
  classWeight: true,
  sampleWeight: true,
  seed: true,
  onNonFinite: true,
  gradientNorms: true,
  signal: true,
  onStep: true,
  onEpoch: true,
  checkpoint: true,
  callbacks: true,
  ...RUN_OPTIONS,
};

export const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = {
  batchSize: true,
  loss: true,
  lossWeights: true,
  metrics: true,
  ...RUN_OPTIONS,
};

export const PREDICT_OPTIONS: OptionNames<PredictOptions> = { batchSize: true, ...RUN_OPTIONS };

export const BATCH_OPTIONS: OptionNames<BatchOptions> = {
  optimizer: true,
  loss: true,
  lossWeights: true,
  metrics: true,
  onNonFinite: true,
  classWeight: true,
  sampleWeight: true,
  ...RUN_OPTIONS,
};
