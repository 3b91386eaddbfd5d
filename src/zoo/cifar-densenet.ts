/**
 * DenseNet-40, DenseNet-BC-100 and a small DenseNet-BC for CIFAR-10 (Huang, Liu, van der Maaten, Weinberger 2017, "Densely connected
 * convolutional networks", section 4.2 and table 2; blocks: dense-block.ts). Images [32, 32, 3].
 *
 *   conv 3x3 | three dense blocks of one length, at 32x32, 16x16, 8x8, between them transitions | BN, ReLU, global mean,
 *   10; k = 12
 *
 *     DenseNet-40      12 layers a block; conv 16; transitions keep the channels: 1,019,722 trained parameters (1.0M)
 *     DenseNet-BC-100  16 layers with bottlenecks a block; conv 2k; transitions halve: 769,162 (0.8M)
 *     DenseNet-BC-40   the same with 6 layers a block: 176,122; not in the paper, for short trainings
 */
import { input } from '../layers/symbolic.ts';
import { conv, type Network } from './blocks.ts';
import { type DenseNetOptions, denseBlocks } from './dense-block.ts';

function cifarDenseNet(depth: number, isCompressed: boolean, options: DenseNetOptions): Network {
  const { classes = 10, inputShape = [32, 32, 3], growthRate = 12, dropout: rate = 0 } = options;
  const classifier = { units: classes, activation: options.classifierActivation ?? 'softmax' } as const;
  const image = input({ shape: inputShape, name: 'image' });
  const stem = conv(image, 'conv1_conv', isCompressed ? 2 * growthRate : 16, 3);
  const kind = {
    growthRate,
    hasBottlenecks: isCompressed,
    compression: isCompressed ? 0.5 : 1,
    dropout: rate,
  };
  return { inputs: image, outputs: denseBlocks(stem, [depth, depth, depth], classifier, kind) };
}

/** DenseNet-40, for `functional({ ...denseNet40(), seed })`. */
export function denseNet40(options: DenseNetOptions = {}): Network {
  return cifarDenseNet(12, false, options);
}

/** DenseNet-BC-100. */
export function denseNetBC100(options: DenseNetOptions = {}): Network {
  return cifarDenseNet(16, true, options);
}

/** DenseNet-BC-40. */
export function denseNetBC40(options: DenseNetOptions = {}): Network {
  return cifarDenseNet(6, true, options);
}
