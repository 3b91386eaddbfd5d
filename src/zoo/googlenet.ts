/**
 * GoogLeNet (Szegedy et al. 2015, "Going deeper with convolutions", table 1 and figure 3): nine inception modules and two
 * auxiliary classifiers; 13,378,280 parameters, of them 6,998,552 without the auxiliary heads. Images [224, 224, 3].
 *
 *   conv 64 7x7/2, pool/2, LRN, conv 64 1x1, conv 192 3x3, LRN, pool/2 | 3a 3b, pool/2 | 4a 4b 4c 4d 4e, pool/2 | 5a 5b |
 *   global mean, dropout 0.4, 1000
 *   auxiliary heads on 4a and 4d: mean of 5x5 with stride 3, conv 128 1x1, 1024, dropout 0.7, 1000
 *
 * In training the losses of the heads count 0.3 each (section 5): `fit({ lossWeights: googLeNetLossWeights })`. For
 * inference, `auxiliaryHeads: false` leaves them out.
 */
import {
  averagePooling2d,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  localResponseNormalization,
  maxPooling2d,
} from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';
import { type GoogLeNet, type GoogLeNetOptions, inceptionModules } from './googlenet-modules.ts';
import { inception } from './inception.ts';

/** In the words of the paper's code: size 5, alpha 1e-4, beta 0.75. */
const LOCAL_RESPONSE = { depthRadius: 2, alpha: 2e-5, beta: 0.75 } as const;

/** Its inputs and outputs, for `functional({ ...googLeNet(), seed })`. */
export function googLeNet(options: GoogLeNetOptions = {}): GoogLeNet {
  const { classes = 1000, inputShape = [224, 224, 3], filters: first = 64 } = options;
  const { auxiliaryHeads = true, classifierActivation = 'softmax' } = options;
  const scaled = (count: number) => Math.max(1, Math.round((count * first) / 64));
  const image = input({ shape: inputShape, name: 'image' });
  const conv = (x: SymbolicTensor, name: string, count: number, kernelSize: number, strides = 1) =>
    conv2d({ name, filters: scaled(count), kernelSize, strides, padding: 'same', activation: 'relu' })(x);
  const halve = (x: SymbolicTensor, name: string) =>
    maxPooling2d({ name, poolSize: 3, strides: 2, padding: 'same' })(x);
  const normalized = (x: SymbolicTensor, name: string) =>
    localResponseNormalization({ name, ...LOCAL_RESPONSE })(x);
  const classifier = (x: SymbolicTensor, name: string) =>
    dense({ name, units: classes, activation: classifierActivation })(x);
  const heads: Record<string, SymbolicTensor> = {};
  const hear = (x: SymbolicTensor, name: string) => {
    const mean = averagePooling2d({ name: `${name}_pool`, poolSize: 5, strides: 3 })(x);
    const flat = flatten({ name: `${name}_flatten` })(conv(mean, `${name}_conv`, 128, 1));
    const hidden = dense({ name: `${name}_fc`, units: scaled(1024), activation: 'relu' })(flat);
    heads[name] = classifier(dropout({ name: `${name}_dropout`, rate: 0.7 })(hidden), `${name}_output`);
  };
  const stem = conv(
    normalized(halve(conv(image, 'conv1', 64, 7, 2), 'pool1'), 'norm1'),
    'conv2_reduce',
    64,
    1,
  );
  const x = inceptionModules(halve(normalized(conv(stem, 'conv2', 192, 3), 'norm2'), 'pool2'), scaled, {
    module: inception,
    halve,
    hear: auxiliaryHeads ? hear : () => {},
  });
  const mean = dropout({ name: 'dropout', rate: 0.4 })(globalAveragePooling2d({ name: 'mean' })(x));
  return { inputs: image, outputs: { main: classifier(mean, 'output'), ...heads } };
}
