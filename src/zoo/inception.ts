/**
 * Inception modules (Szegedy et al. 2015, "Going deeper with convolutions", figure 2; the seed's figures 4.1 and 4.2):
 * convolutions of several sizes and a max pooling side by side, joined along the channels.
 *
 *   naive           1x1 | 3x3        | 5x5        | pool 3x3
 *   with reductions 1x1 | 1x1 -> 3x3 | 1x1 -> 5x5 | pool 3x3 -> 1x1
 *
 * All 'same', ReLU after every convolution. Every branch writes its channels of the module's one output.
 */
import { concatenate, conv2d, maxPooling2d } from '../layers/index.ts';
import type { SymbolicTensor } from '../layers/symbolic.ts';

/** Filters of the naive module's branches. */
export interface NaiveInceptionOptions {
  /** Begins the names of the module's layers: `name_1x1`, `name_3x3`, ..., and `name_output`. */
  readonly name: string;
  readonly conv1x1: number;
  readonly conv3x3: number;
  readonly conv5x5: number;
}

/** Filters of a module with reductions, as in the paper's table 1. */
export interface InceptionOptions extends NaiveInceptionOptions {
  /** 1x1 filters before the 3x3. */
  readonly reduce3x3: number;
  /** 1x1 filters before the 5x5. */
  readonly reduce5x5: number;
  /** 1x1 filters after the pooling. */
  readonly poolProjection: number;
}

/** A convolution 'same' and what belongs to it: the tensor that it makes of one. */
export type Convolution = (
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number,
) => SymbolicTensor;

const conv: Convolution = (x, name, filters, kernelSize) =>
  conv2d({ name, filters, kernelSize, padding: 'same', activation: 'relu' })(x);

function pool(name: string) {
  return maxPooling2d({ name, poolSize: 3, strides: 1, padding: 'same' });
}

/** The naive module: [H, W, C] to [H, W, conv1x1 + conv3x3 + conv5x5 + C]. */
export function naiveInception(x: SymbolicTensor, options: NaiveInceptionOptions): SymbolicTensor {
  const { name, conv1x1, conv3x3, conv5x5 } = options;
  return concatenate({ name: `${name}_output` })([
    conv(x, `${name}_1x1`, conv1x1, 1),
    conv(x, `${name}_3x3`, conv3x3, 3),
    conv(x, `${name}_5x5`, conv5x5, 5),
    pool(`${name}_pool`)(x),
  ]);
}

/**
 * The module with reductions: [H, W, C] to [H, W, conv1x1 + conv3x3 + conv5x5 + poolProjection]. Another `convolution`
 * takes the place of the one with ReLU, for example one with batch normalisation.
 */
export function inception(
  x: SymbolicTensor,
  options: InceptionOptions,
  convolution: Convolution = conv,
): SymbolicTensor {
  const { name, conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProjection } = options;
  const reduced3x3 = () => convolution(x, `${name}_3x3_reduce`, reduce3x3, 1);
  const reduced5x5 = () => convolution(x, `${name}_5x5_reduce`, reduce5x5, 1);
  return concatenate({ name: `${name}_output` })([
    convolution(x, `${name}_1x1`, conv1x1, 1),
    convolution(reduced3x3(), `${name}_3x3`, conv3x3, 3),
    convolution(reduced5x5(), `${name}_5x5`, conv5x5, 5),
    convolution(pool(`${name}_pool`)(x), `${name}_pool_projection`, poolProjection, 1),
  ]);
}
