/**
 * DenseNet-121, DenseNet-169 and DenseNet-201 (Huang, Liu, van der Maaten, Weinberger 2017, "Densely connected
 * convolutional networks", table 1; blocks: dense-block.ts). Images [224, 224, 3].
 *
 *   conv 2k 7x7/2, max pooling 3x3/2 | four dense blocks with bottlenecks, between them transitions to half the
 *   channels | BN, ReLU, global mean, 1000; k = 32
 *
 *   layers of the blocks, and parameters (of them trained):
 *     DenseNet-121   6 12 24 16    8,062,504  (7,978,856)
 *     DenseNet-169   6 12 32 32   14,307,880 (14,149,480)
 *     DenseNet-201   6 12 48 32   20,242,984 (20,013,928)
 *
 * Layers are named as in Keras. Epsilon is 1e-5 as in the paper's code and PyTorch's torchvision; Keras' is 1.001e-5.
 */
import { maxPooling2d } from '../layers/index.ts';
import { input } from '../layers/symbolic.ts';
import { around, conv, type Network, normalized, rectified } from './blocks.ts';
import { type DenseNetOptions, denseBlocks } from './dense-block.ts';

function denseNet(depths: readonly number[], options: DenseNetOptions): Network {
  const { classes = 1000, inputShape = [224, 224, 3], growthRate = 32, dropout: rate = 0 } = options;
  const classifier = { units: classes, activation: options.classifierActivation ?? 'softmax' } as const;
  const image = input({ shape: inputShape, name: 'image' });
  const conv1 = rectified(
    normalized(conv(image, 'conv1_conv', 2 * growthRate, 7, 2), 'conv1_bn'),
    'conv1_relu',
  );
  const stem = maxPooling2d({ name: 'pool1', poolSize: 3, strides: 2, padding: around(1) })(conv1);
  const kind = { growthRate, hasBottlenecks: true, compression: 0.5, dropout: rate };
  return { inputs: image, outputs: denseBlocks(stem, depths, classifier, kind) };
}

/** DenseNet-121, for `functional({ ...denseNet121(), seed })`. */
export function denseNet121(options: DenseNetOptions = {}): Network {
  return denseNet([6, 12, 24, 16], options);
}

/** DenseNet-169. */
export function denseNet169(options: DenseNetOptions = {}): Network {
  return denseNet([6, 12, 32, 32], options);
}

/** DenseNet-201. */
export function denseNet201(options: DenseNetOptions = {}): Network {
  return denseNet([6, 12, 48, 32], options);
}
