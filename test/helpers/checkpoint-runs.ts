/** A small run with everything that a checkpoint must bring back: augmentation, dropout, Adam, validation, statistics. */
import {
  adam,
  batchNormalization,
  conv2d,
  type Dataset,
  dense,
  dropout,
  type Engine,
  type FitOptions,
  flatten,
  type History,
  type Model,
  notebookAugmentation,
  sequential,
  weightsSha256,
} from '../../src/index.ts';
import { CLASSES, IMAGE, smallDataset } from './conformance-data.ts';

/** 21 samples in batches of 8: steps of 8, 8 and 5. */
export const DATA: Dataset = smallDataset(21);
export const STEPS = 3;
export const EPOCHS = 2;

export function checkpointModel(): Model {
  return sequential({ inputShape: IMAGE, seed: 21 }, [
    conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }),
    batchNormalization(),
    flatten(),
    dropout({ rate: 0.25 }),
    dense({ units: CLASSES, activation: 'softmax' }),
  ]);
}

export function runOptions(engine: Engine): FitOptions {
  return {
    optimizer: adam({ learningRate: 0.01 }),
    epochs: EPOCHS,
    batchSize: 8,
    validation: smallDataset(5, 2),
    augmentation: notebookAugmentation,
    engine,
  };
}

/** What a run came to: weights, and metrics without times. */
export function outcome(model: Model, { epochs, end }: History) {
  const metrics = epochs.map(({ seconds: _, imagesPerSecond: __, ...rest }) => rest);
  return { weights: weightsSha256(model), metrics, end };
}

/** Trains a new model with these options; its outcome. */
export async function train(options: FitOptions, data = DATA) {
  await using model = checkpointModel();
  return outcome(model, await model.fit(data, options));
}

/** Trains until the signal after `steps` steps of the run; what the model came to. */
export async function trainUntil(steps: number, options: FitOptions) {
  const control = new AbortController();
  let done = 0;
  return train({
    ...options,
    signal: control.signal,
    onStep() {
      done += 1;
      if (done === steps) control.abort();
    },
  });
}

/** What stands for a crash: it leaves `fit` without a farewell. */
export class Crash extends Error {}

/** Trains and crashes after `steps` steps. */
export async function trainAndCrash(steps: number, options: FitOptions): Promise<void> {
  let done = 0;
  try {
    await train({
      ...options,
      onStep() {
        done += 1;
        if (done === steps) throw new Crash();
      },
    });
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}
