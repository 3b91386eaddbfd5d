/**
 * A small network of inception modules for CIFAR-10, after the seed's chapter 4.1: 343,202 parameters.
 *
 *   conv 32, conv 64, pool | two modules, pool | two modules, pool | one module | global mean, dropout 0.3, 10
 */
import { conv2d, dense, dropout, globalAveragePooling2d, maxPooling2d } from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';
import { inception } from './inception.ts';

/** Its inputs and outputs, for `functional({ ...cifarInception(), seed })`. */
export function cifarInception(): { inputs: SymbolicTensor; outputs: SymbolicTensor } {
  const image = input({ shape: [32, 32, 3], name: 'image' });
  const conv = (name: string, filters: number) =>
    conv2d({ name, filters, kernelSize: 3, padding: 'same', activation: 'relu' });
  let x = maxPooling2d({ name: 'pool1' })(conv('conv2', 64)(conv('conv1', 32)(image)));
  const module = (name: string, width: number) => {
    x = inception(x, {
      name,
      conv1x1: width,
      reduce3x3: width,
      conv3x3: 2 * width,
      reduce5x5: width / 4,
      conv5x5: width / 2,
      poolProjection: width / 2,
    });
  };
  module('3a', 32);
  module('3b', 32);
  x = maxPooling2d({ name: 'pool2' })(x);
  module('4a', 48);
  module('4b', 48);
  x = maxPooling2d({ name: 'pool3' })(x);
  module('5a', 64);
  const pooled = dropout({ name: 'dropout', rate: 0.3 })(globalAveragePooling2d({ name: 'mean' })(x));
  return { inputs: image, outputs: dense({ name: 'output', units: 10, activation: 'softmax' })(pooled) };
}
