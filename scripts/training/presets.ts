/** Recipes by name: what the options of a training command are where nothing else is said. */

/** How fast weights are learned, and what is done to the images. */
export interface Preset {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'adam' | 'adamW' | 'sgd';
  readonly learningRate: number;
  /** Of SGD. */
  readonly momentum: number;
  readonly schedule: 'constant' | 'cosine';
  /** Epochs in which the learning rate rises from 0, parts of them too. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly augment: 'notebook' | 'light' | 'crop' | 'none';
}

export const PRESETS = ['notebook', 'fast', 'residual', 'dense'] as const;
export type PresetName = (typeof PRESETS)[number];

/** The recipe of the seed's notebook: Adam at a constant rate, strong augmentation. */
const notebook: Preset = {
  epochs: 20,
  batchSize: 32,
  optimizer: 'adam',
  learningRate: 0.001,
  momentum: 0,
  schedule: 'constant',
  warmup: 0,
  weightDecay: 0,
  labelSmoothing: 0,
  augment: 'notebook',
};

/**
 * Higher accuracy in as many epochs: rotations by 30 degrees cost a network of this size more than they teach it in 20
 * epochs; the learning rate rises, and falls to 0 by a cosine.
 */
const fast: Preset = {
  epochs: 20,
  batchSize: 64,
  optimizer: 'adamW',
  learningRate: 0.002,
  momentum: 0,
  schedule: 'cosine',
  warmup: 2,
  weightDecay: 0.02,
  labelSmoothing: 0.1,
  augment: 'light',
};

/**
 * Residual networks (He et al. 2016, section 4.2: SGD with momentum 0.9, batches of 128, shifts and flips), their three
 * rates of a long training replaced by a cosine over a short one. The papers' L2 of 1e-4 on the gradient is, once
 * momentum has summed it ten times over, a decoupled decay of 1e-3; a short training wants more.
 */
const residual: Preset = {
  epochs: 30,
  batchSize: 128,
  optimizer: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  schedule: 'cosine',
  warmup: 1,
  weightDecay: 0.005,
  labelSmoothing: 0,
  augment: 'crop',
};

/** Dense networks (Huang et al. 2017, section 4.2: the same with batches of 64); as many epochs as fit into an hour. */
const dense: Preset = { ...residual, epochs: 10, batchSize: 64 };

export const presets: Readonly<Record<PresetName, Preset>> = { notebook, fast, residual, dense };
