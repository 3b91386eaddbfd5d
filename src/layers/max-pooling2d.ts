/**
 * Max pooling (the seed's section 2.2; gradient routing: end of its chapter 3).
 *   input [H, W, C], output [Ho, Wo, C]; taps in the padding do not take part
 *   backward: the gradient goes to the first maximum of the window in row-major order
 */
import { defineLayer } from './layer.ts';
import { backwardMaxPool, forwardMaxPool } from './pool-passes.ts';
import {
  imageWindow,
  type PoolConfig,
  type PoolOptions,
  poolOutputShape,
  resolvePool,
} from './pooling-options.ts';

/**
 * Largest value of each window. Options as in Keras: poolSize (2), strides (poolSize), padding ('valid').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const maxPooling2d = defineLayer<PoolOptions, PoolConfig>({
  type: 'maxPooling2d',
  resolve: resolvePool,
  outputShape: poolOutputShape,
  forward: (context) => forwardMaxPool(context, imageWindow(context)),
  backward: (context) => backwardMaxPool(context, imageWindow(context)),
  examples: [
    { options: { poolSize: 2 }, inputShape: [6, 4, 3] },
    { options: { poolSize: 3, strides: 2, padding: 'same' }, inputShape: [5, 6, 5] },
    { options: { poolSize: [2, 3], strides: [1, 2] }, inputShape: [5, 7, 2] },
  ],
});
