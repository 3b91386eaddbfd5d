/**
 * GoogLeNet (Szegedy et al. 2015, "Going deeper with convolutions", table 1): nine inception modules, 6,998,552
 * parameters without the auxiliary heads. Images [224, 224, 3].
 *
 *   conv 64 7x7/2, pool/2, conv 64 1x1, conv 192 3x3, pool/2 | 3a 3b, pool/2 | 4a 4b 4c 4d 4e, pool/2 | 5a 5b |
 *   global mean, dropout 0.4, 1000
 *
 * Not here of the paper: its two local response normalisations in the stem, and the auxiliary classifiers, which only
 * training uses.
 */
import { conv2d, dense, dropout, globalAveragePooling2d, maxPooling2d } from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';
import { inception } from './inception.ts';

export interface GoogLeNetOptions {
  /** Default 1000. */
  readonly classes?: number;
}

/** Columns of the paper's table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj. */
const MODULES = {
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
} as const;

/** Its inputs and outputs, for `functional({ ...googLeNet(), seed })`. */
export function googLeNet({ classes = 1000 }: GoogLeNetOptions = {}): {
  inputs: SymbolicTensor;
  outputs: SymbolicTensor;
} {
  const image = input({ shape: [224, 224, 3], name: 'image' });
  const conv = (name: string, filters: number, kernelSize: number, strides = 1) =>
    conv2d({ name, filters, kernelSize, strides, padding: 'same', activation: 'relu' });
  const halve = (name: string) => maxPooling2d({ name, poolSize: 3, strides: 2, padding: 'same' });
  let x = halve('pool1')(conv('conv1', 64, 7, 2)(image));
  x = halve('pool2')(conv('conv2', 192, 3)(conv('conv2_reduce', 64, 1)(x)));
  for (const [name, columns] of Object.entries(MODULES)) {
    const [conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProjection] = columns;
    x = inception(x, { name, conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProjection });
    if (name === '3b' || name === '4e') x = halve(`pool${name[0]}`)(x);
  }
  x = dropout({ name: 'dropout', rate: 0.4 })(globalAveragePooling2d({ name: 'mean' })(x));
  return { inputs: image, outputs: dense({ name: 'output', units: classes, activation: 'softmax' })(x) };
}
