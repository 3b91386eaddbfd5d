/**
 * Average pooling (the seed's section 2.2).
 *   input [H, W, C], output [Ho, Wo, C]
 *   forward: the mean of the window's taps inside the image (or of all, padding counted as zeros)
 *   backward: each of them gets its share of the gradient
 */
import { defineLayer } from './layer.ts';
import { checkFlag } from './options.ts';
import { backwardAveragePool, forwardAveragePool } from './pool-passes.ts';
import {
  imageWindow,
  type PoolConfig,
  type PoolOptions,
  poolOutputShape,
  resolvePool,
} from './pooling-options.ts';

export interface AveragePoolOptions extends PoolOptions {
  /** Whether taps in the padding count as zeros (PyTorch's count_include_pad); default false, as in Keras. */
  readonly countPadding?: boolean;
}

export interface AveragePoolConfig extends PoolConfig {
  readonly countPadding: boolean;
}

/**
 * Mean of each window. Options as in Keras: poolSize (2), strides (poolSize), padding ('valid'); and countPadding.
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const averagePooling2d = defineLayer<AveragePoolOptions, AveragePoolConfig>({
  type: 'averagePooling2d',
  resolve: (options, operation) => ({
    ...resolvePool(options, operation),
    countPadding: checkFlag(operation, 'countPadding', options.countPadding ?? false),
  }),
  outputShape: poolOutputShape,
  forward: (context) => forwardAveragePool(context, imageWindow(context), context.config.countPadding),
  backward: (context) => backwardAveragePool(context, imageWindow(context), context.config.countPadding),
  examples: [
    { options: { poolSize: 2 }, inputShape: [6, 4, 3] },
    { options: { poolSize: 3, strides: 2, padding: 'same' }, inputShape: [5, 6, 5] },
    { options: { poolSize: 3, strides: 1, padding: 'same', countPadding: true }, inputShape: [4, 4, 2] },
  ],
});
