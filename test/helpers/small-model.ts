/** A small network with a kernel of every phase, and data for it: what the tests of threads train. */
import { arrayDataset } from '../../src/data/array-dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { conv2d, dense, dropout, flatten, maxPooling2d } from '../../src/layers/index.ts';
import type { Model } from '../../src/training/model.ts';
import { sequential } from '../../src/training/models.ts';
import { randomFrom } from './twin.ts';

/** Of each phase of its training program, a kernel that only this phase calls. */
export const KERNEL_OF_PHASE = {
  shards: 'maxPoolForward',
  batch: 'denseWeightGradient',
  reduce: 'reduceShards',
  update: 'adam',
  prepare: 'packConv2d',
} as const;

export function smallModel(seed = 3): Model {
  return sequential({ inputShape: [8, 8, 3], seed }, [
    conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }),
    flatten(),
    dropout({ rate: 0.4 }),
    dense({ units: 4, activation: 'softmax' }),
  ]);
}

/** Random images [size, 8, 8, 3] of four classes. */
export function smallData(size: number): Dataset {
  const random = randomFrom(17);
  return arrayDataset({
    inputs: Float32Array.from({ length: size * 192 }, () => 2 * random() - 1),
    inputShape: [8, 8, 3],
    targets: Int32Array.from({ length: size }, () => Math.floor(4 * random())),
    classes: 4,
  });
}
