/**
 * Dense blocks and transitions (Huang, Liu, van der Maaten, Weinberger 2017, "Densely connected convolutional
 * networks", figures 1 and 2; the seed's section 4.2, figures 4.3 and 4.4). In a dense block every layer sees the
 * channels of all layers before it, so a block of n layers has n(n + 1)/2 connections, and each adds k channels, the
 * growth rate. They all lie in one buffer: concatenating them copies nothing.
 *
 *   a layer:      BN, ReLU, conv 3x3 of k filters; with a bottleneck: BN, ReLU, conv 1x1 of 4k filters before that
 *   a transition: BN, ReLU, conv 1x1, average pooling 2x2
 */
import { averagePooling2d, concatenate, dense, dropout, globalAveragePooling2d } from '../layers/index.ts';
import type { SymbolicTensor } from '../layers/symbolic.ts';
import { conv, normalized, rectified } from './blocks.ts';

export interface DenseNetOptions {
  /** Default 1000 for ImageNet's, 10 for CIFAR's. */
  readonly classes?: number;
  /** What the classifier ends with; default 'softmax'. 'linear' returns its logits. */
  readonly classifierActivation?: 'softmax' | 'linear';
  /** [H, W, C]; default [224, 224, 3] or [32, 32, 3]. */
  readonly inputShape?: readonly [number, number, number];
  /** Channels that a layer adds, k; default 32 or 12. */
  readonly growthRate?: number;
  /** Rate of the dropout after every convolution but the first, for data that are not augmented; default 0: none. */
  readonly dropout?: number;
}

/** What a kind of DenseNet fixes. */
export interface DenseKind {
  readonly growthRate: number;
  readonly hasBottlenecks: boolean;
  /** The share of channels that a transition keeps. */
  readonly compression: number;
  readonly dropout: number;
}

function afterConv(x: SymbolicTensor, name: string, { dropout: rate }: DenseKind): SymbolicTensor {
  return rate > 0 ? dropout({ name: `${name}_dropout`, rate })(x) : x;
}

/** A layer of a dense block: [H, W, C] to [H, W, C + k]. */
function denseLayer(x: SymbolicTensor, name: string, kind: DenseKind): SymbolicTensor {
  const { growthRate, hasBottlenecks } = kind;
  let y = rectified(normalized(x, `${name}_0_bn`), `${name}_0_relu`);
  if (hasBottlenecks) {
    y = afterConv(conv(y, `${name}_1_conv`, 4 * growthRate, 1), `${name}_1`, kind);
    y = rectified(normalized(y, `${name}_1_bn`), `${name}_1_relu`);
  }
  const name3x3 = hasBottlenecks ? `${name}_2` : `${name}_1`;
  y = afterConv(conv(y, `${name3x3}_conv`, growthRate, 3), name3x3, kind);
  return concatenate({ name: `${name}_concat` })([x, y]);
}

/** Between two blocks: [H, W, C] to [H/2, W/2, compression C]. */
function transition(x: SymbolicTensor, name: string, kind: DenseKind): SymbolicTensor {
  const filters = Math.floor(x.shape.at(-1)! * kind.compression);
  const normal = rectified(normalized(x, `${name}_bn`), `${name}_relu`);
  const y = afterConv(conv(normal, `${name}_conv`, filters, 1), name, kind);
  return averagePooling2d({ name: `${name}_pool` })(y);
}

/** Dense blocks of so many layers, transitions between them, and the classifier; names count from conv2 on. */
export function denseBlocks(
  stem: SymbolicTensor,
  depths: readonly number[],
  classifier: { readonly units: number; readonly activation: 'softmax' | 'linear' },
  kind: DenseKind,
): SymbolicTensor {
  let x = stem;
  depths.forEach((depth, i) => {
    for (let layer = 1; layer <= depth; layer++) x = denseLayer(x, `conv${i + 2}_block${layer}`, kind);
    if (i < depths.length - 1) x = transition(x, `pool${i + 2}`, kind);
  });
  const mean = globalAveragePooling2d({ name: 'avg_pool' })(rectified(normalized(x, 'bn'), 'relu'));
  return dense({ name: 'predictions', ...classifier })(mean);
}
