/**
 * ResNet-18, ResNet-34 and ResNet-50 (He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition", table 1,
 * figures 3 and 5): 11,689,512, 21,797,672 and 25,557,032 trained parameters. Images [224, 224, 3].
 *
 *   conv 64 7x7/2, max pooling 3x3/2 | stages of 64, 128, 256, 512 filters, 3 4 6 3 blocks (18: 2 2 2 2) | global mean, 1000
 *   basic block (18, 34):  conv 3x3, conv 3x3            bottleneck (50): conv 1x1, conv 3x3, conv 1x1 of 4 times the filters
 *   y = ReLU(shortcut(x) + block(x)), BN after every convolution, ReLU between them
 *
 * Shortcuts are the identity, or a convolution 1x1 where the shape changes (option B). Layers are named as in Keras'
 * ResNet50; the arithmetic is that of PyTorch's torchvision: no biases, and a bottleneck halves the image in its 3x3
 * convolution. The paper's does so in its first 1x1 (`strideIn: '1x1'`), with the same parameters.
 */
import { add, dense, globalAveragePooling2d, maxPooling2d } from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';
import { around, conv, type Network, normalized, rectified } from './blocks.ts';

export interface ResNetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /** What the classifier ends with; default 'softmax'. 'linear' returns its logits. */
  readonly classifierActivation?: 'softmax' | 'linear';
  /** Default [224, 224, 3]. */
  readonly inputShape?: readonly [number, number, number];
  /** Filters of the first stage; default 64. */
  readonly filters?: number;
  /** The convolution of a bottleneck that halves the image; default '3x3'. */
  readonly strideIn?: '1x1' | '3x3';
}

/** A convolution of a block: filters, window, stride. */
type Step = readonly [filters: number, kernelSize: number, strides: number];

/** One of the convolutions and BN of a block, `name_1_conv` and `name_1_bn`. */
function step(x: SymbolicTensor, name: string, [filters, kernelSize, strides]: Step): SymbolicTensor {
  return normalized(conv(x, `${name}_conv`, filters, kernelSize, strides), `${name}_bn`);
}

function block(x: SymbolicTensor, name: string, steps: readonly Step[]): SymbolicTensor {
  const [filters] = steps.at(-1)!;
  const strides = steps.reduce((product, [, , stride]) => product * stride, 1);
  const changes = strides > 1 || x.shape.at(-1) !== filters;
  const shortcut = changes ? step(x, `${name}_0`, [filters, 1, strides]) : x;
  let y = x;
  steps.forEach((each, i) => {
    y = step(i === 0 ? y : rectified(y, `${name}_${i}_relu`), `${name}_${i + 1}`, each);
  });
  return rectified(add({ name: `${name}_add` })([shortcut, y]), `${name}_out`);
}

function basic(filters: number, strides: number): Step[] {
  return [
    [filters, 3, strides],
    [filters, 3, 1],
  ];
}

function bottleneck(filters: number, strides: number, strideIn: '1x1' | '3x3'): Step[] {
  return [
    [filters, 1, strideIn === '1x1' ? strides : 1],
    [filters, 3, strideIn === '3x3' ? strides : 1],
    [4 * filters, 1, 1],
  ];
}

function resNet(depths: readonly number[], kind: typeof bottleneck, options: ResNetOptions): Network {
  const { classes = 1000, inputShape = [224, 224, 3], filters = 64, strideIn = '3x3' } = options;
  const { classifierActivation = 'softmax' } = options;
  const image = input({ shape: inputShape, name: 'image' });
  const stem = normalized(conv(image, 'conv1_conv', filters, 7, 2), 'conv1_bn');
  const pool = maxPooling2d({ name: 'pool1_pool', poolSize: 3, strides: 2, padding: around(1) });
  let x = pool(rectified(stem, 'conv1_relu'));
  depths.forEach((depth, stage) => {
    for (let i = 0; i < depth; i++) {
      const strides = stage > 0 && i === 0 ? 2 : 1;
      x = block(x, `conv${stage + 2}_block${i + 1}`, kind(filters << stage, strides, strideIn));
    }
  });
  const mean = globalAveragePooling2d({ name: 'avg_pool' })(x);
  const outputs = dense({ name: 'predictions', units: classes, activation: classifierActivation })(mean);
  return { inputs: image, outputs };
}

/** ResNet-18, for `functional({ ...resNet18(), seed })`. `strideIn` is of no matter: it has no bottlenecks. */
export function resNet18(options: ResNetOptions = {}): Network {
  return resNet([2, 2, 2, 2], basic, options);
}

/** ResNet-34; as resNet18. */
export function resNet34(options: ResNetOptions = {}): Network {
  return resNet([3, 4, 6, 3], basic, options);
}

/** ResNet-50. */
export function resNet50(options: ResNetOptions = {}): Network {
  return resNet([3, 4, 6, 3], bottleneck, options);
}
