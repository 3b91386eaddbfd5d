/**
 * FCN-8s, a fully convolutional network (Long, Shelhamer, Darrell 2015, "Fully convolutional networks for semantic
 * segmentation", figure 3, table 1): VGG16 with its dense layers as convolutions, a class for every pixel, and
 * transposed convolutions that bring the coarse scores back to the size of the image. 134,489,759 parameters with 21
 * classes (134M in table 1).
 *
 *   blocks of VGG16 | fc6: conv 4096 7x7, fc7: conv 4096 1x1, score: conv 1x1
 *   scores x2 + scores of block 4's pooling | x2 + scores of block 3's pooling | x8, softmax
 *
 * Transposed convolutions have windows of twice their stride and no bias. `bilinearWeights` are what the paper begins
 * them with; the paper leaves the last one at that. All is 'same' here, so nothing is cropped: the image's sides must be
 * multiples of 32, and it need not be padded by the paper's 100 pixels.
 */
import { activation, add, conv2d, conv2dTranspose, dropout } from '../layers/index.ts';
import { applyLayer, input, type SymbolicTensor } from '../layers/symbolic.ts';
import type { Network } from './blocks.ts';
import { vgg16 } from './vgg.ts';

export interface FcnOptions {
  /** Default 21: Pascal VOC's 20 and the background. */
  readonly classes?: number;
  /** [H, W, C]; H and W multiples of 32. Default [512, 512, 3]. */
  readonly inputShape?: readonly [number, number, number];
  /** Filters of VGG16's first block; default 64. */
  readonly filters?: number;
  /** Filters of fc6 and fc7; default 4096. */
  readonly units?: number;
  /** Rate of the dropout after fc6 and fc7; default 0.5. */
  readonly dropout?: number;
}

/** FCN-8s, for `functional({ ...fcn8s(), seed })`. */
export function fcn8s(options: FcnOptions = {}): Network {
  const { classes = 21, inputShape = [512, 512, 3], filters = 64, units = 4096 } = options;
  const { dropout: rate = 0.5 } = options;
  const image = input({ shape: inputShape, name: 'image' });
  const pooled: SymbolicTensor[] = [];
  let x: SymbolicTensor = image;
  for (const layer of vgg16({ includeTop: false, filters })) {
    x = applyLayer(layer, x);
    if (layer.type === 'maxPooling2d') pooled.push(x);
  }
  const hidden = (name: string, kernelSize: number) => {
    const same = { filters: units, kernelSize, padding: 'same', activation: 'relu' } as const;
    x = conv2d({ name, ...same })(x);
    if (rate > 0) x = dropout({ name: `${name}_dropout`, rate })(x);
  };
  hidden('fc6', 7);
  hidden('fc7', 1);
  const score = (from: SymbolicTensor, name: string) =>
    conv2d({ name, filters: classes, kernelSize: 1 })(from);
  const up = (from: SymbolicTensor, name: string, factor: number) => {
    const window = { kernelSize: 2 * factor, strides: factor, padding: 'same', useBias: false } as const;
    return conv2dTranspose({ name, filters: classes, ...window })(from);
  };
  x = up(score(x, 'score'), 'upscore2', 2);
  x = add({ name: 'fuse_pool4' })([x, score(pooled[3]!, 'score_pool4')]);
  x = add({ name: 'fuse_pool3' })([up(x, 'upscore_pool4', 2), score(pooled[2]!, 'score_pool3')]);
  const outputs = activation({ name: 'classes', function: 'softmax' })(up(x, 'upscore8', 8));
  return { inputs: image, outputs };
}

/**
 * Weights [2 factor, 2 factor, classes, classes] of a transposed convolution that enlarges each class's scores by
 * linear interpolation and mixes no classes: `model.setWeights({ 'upscore8/weight': bilinearWeights(8, 21) })`.
 */
export function bilinearWeights(factor: number, classes: number): Float32Array {
  const size = 2 * factor;
  const weights = new Float32Array(size * size * classes * classes);
  const slope = (i: number) => 1 - Math.abs((i + 0.5) / factor - 1);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let k = 0; k < classes; k++) {
        weights[((y * size + x) * classes + k) * classes + k] = slope(y) * slope(x);
      }
    }
  }
  return weights;
}
