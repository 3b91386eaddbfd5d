/** Recipes by name: what the options of a training command are where nothing else is said. */

/** How fast weights are learned, and what is done to the images. */
export interface Preset {
  readonly batchSize: number;
  readonly optimizer: 'adam' | 'adamW' | 'sgd';
  readonly learningRate: number;
  readonly schedule: 'constant' | 'cosine';
  /** Epochs in which the learning rate rises from 0, parts of them too. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly augment: 'notebook' | 'light' | 'none';
}

export const PRESETS = ['notebook', 'fast'] as const;
export type PresetName = (typeof PRESETS)[number];

/** The recipe of the seed's notebook: Adam at a constant rate, strong augmentation. */
const notebook: Preset = {
  batchSize: 32,
  optimizer: 'adam',
  learningRate: 0.001,
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
  batchSize: 64,
  optimizer: 'adamW',
  learningRate: 0.002,
  schedule: 'cosine',
  warmup: 2,
  weightDecay: 0.02,
  labelSmoothing: 0.1,
  augment: 'light',
};

export const presets: Readonly<Record<PresetName, Preset>> = { notebook, fast };
