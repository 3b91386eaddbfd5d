/**
 * GoogLeNet with batch normalisation, in the form of PyTorch's torchvision: 13,004,888 trained parameters, of them
 * 6,624,904 without the auxiliary heads. Images [224, 224, 3]. Its source is Szegedy et al. 2015, "Going deeper with
 * convolutions", table 1, with these differences:
 *
 *   batch normalisation (epsilon 1e-3) after every convolution in the place of biases and of local response
 *   normalisation; 3x3 where the paper has 5x5; max pooling 2x2 before 5a; dropout 0.2; the heads begin with the mean
 *   over 4 x 4 parts
 *
 * Without the heads, that is the network whose weights torchvision has for ImageNet (its pixels then run from -1 to 1).
 */
import {
  activation,
  adaptiveAveragePooling2d,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  maxPooling2d,
} from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';
import { around } from './blocks.ts';
import { type GoogLeNet, type GoogLeNetOptions, inceptionModules } from './googlenet-modules.ts';
import { type Convolution, inception } from './inception.ts';

/** Convolution, batch normalisation, ReLU. */
function normalizedConv(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number,
  strides = 1,
): SymbolicTensor {
  const padding = around((kernelSize - 1) / 2);
  const y = conv2d({ name, filters, kernelSize, strides, padding, useBias: false })(x);
  const normal = batchNormalization({ name: `${name}_bn`, epsilon: 1e-3, momentum: 0.9 })(y);
  return activation({ name: `${name}_relu`, function: 'relu' })(normal);
}

/** That of the modules: 3x3 where the paper has 5x5. */
const moduleConv: Convolution = (x, name, filters, kernelSize) =>
  normalizedConv(x, name, filters, Math.min(3, kernelSize));

/** Its inputs and outputs, for `functional({ ...googLeNetBN(), seed })`. */
export function googLeNetBN(options: GoogLeNetOptions = {}): GoogLeNet {
  const { classes = 1000, inputShape = [224, 224, 3], filters: first = 64 } = options;
  const { auxiliaryHeads = true, classifierActivation = 'softmax' } = options;
  const scaled = (count: number) => Math.max(1, Math.round((count * first) / 64));
  const image = input({ shape: inputShape, name: 'image' });
  const halve = (x: SymbolicTensor, name: string) => {
    const poolSize = name === 'pool4' ? 2 : 3;
    return maxPooling2d({ name, poolSize, strides: 2, padding: 'same' })(x);
  };
  const classifier = (x: SymbolicTensor, name: string) =>
    dense({ name, units: classes, activation: classifierActivation })(x);
  const heads: Record<string, SymbolicTensor> = {};
  const hear = (x: SymbolicTensor, name: string) => {
    const mean = adaptiveAveragePooling2d({ name: `${name}_pool`, outputSize: 4 })(x);
    const conv = normalizedConv(mean, `${name}_conv`, scaled(128), 1);
    const flat = flatten({ name: `${name}_flatten` })(conv);
    const hidden = dense({ name: `${name}_fc`, units: scaled(1024), activation: 'relu' })(flat);
    heads[name] = classifier(dropout({ name: `${name}_dropout`, rate: 0.7 })(hidden), `${name}_output`);
  };
  const stem = halve(normalizedConv(image, 'conv1', scaled(64), 7, 2), 'pool1');
  const conv2 = normalizedConv(normalizedConv(stem, 'conv2_reduce', scaled(64), 1), 'conv2', scaled(192), 3);
  const x = inceptionModules(halve(conv2, 'pool2'), scaled, {
    module: (tensor, module) => inception(tensor, module, moduleConv),
    halve,
    hear: auxiliaryHeads ? hear : () => {},
  });
  const mean = dropout({ name: 'dropout', rate: 0.2 })(globalAveragePooling2d({ name: 'mean' })(x));
  return { inputs: image, outputs: { main: classifier(mean, 'output'), ...heads } };
}
