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
import type { Network } from './blocks.ts';
import { type GoogLeNetOptions, inceptionModules } from './googlenet-modules.ts';
import { inception } from './inception.ts';

/** Its inputs and outputs, for `functional({ ...googLeNet(), seed })`. */
export function googLeNet(options: GoogLeNetOptions = {}): Network {
  const { classes = 1000, inputShape = [224, 224, 3], filters: first = 64 } = options;
  const { classifierActivation = 'softmax' } = options;
  const scaled = (count: number) => Math.max(1, Math.round((count * first) / 64));
  const image = input({ shape: inputShape, name: 'image' });
  const conv = (x: SymbolicTensor, name: string, count: number, kernelSize: number, strides = 1) =>
    conv2d({ name, filters: scaled(count), kernelSize, strides, padding: 'same', activation: 'relu' })(x);
  const halve = (x: SymbolicTensor, name: string) =>
    maxPooling2d({ name, poolSize: 3, strides: 2, padding: 'same' })(x);
  const stem = conv(halve(conv(image, 'conv1', 64, 7, 2), 'pool1'), 'conv2_reduce', 64, 1);
  const x = inceptionModules(halve(conv(stem, 'conv2', 192, 3), 'pool2'), scaled, {
    module: inception,
    halve,
  });
  const mean = dropout({ name: 'dropout', rate: 0.4 })(globalAveragePooling2d({ name: 'mean' })(x));
  const outputs = dense({ name: 'output', units: classes, activation: classifierActivation })(mean);
  return { inputs: image, outputs };
}
