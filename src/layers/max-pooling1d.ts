/**
 * Max pooling along a sequence: that of an image of one row.
 *   input [L, C], output [Lo, C]; steps in the padding do not take part
 *   backward: the gradient goes to the first maximum of the window
 */
import { defineLayer } from './layer.ts';
import { backwardMaxPool, forwardMaxPool } from './pool-passes.ts';
import {
  type Pool1dConfig,
  type Pool1dOptions,
  pool1dOutputShape,
  resolvePool1d,
  sequenceWindow,
} from './pooling1d-options.ts';

/**
 * Largest value of each window. Options as in Keras: poolSize (2), strides (poolSize), padding ('valid').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const maxPooling1d = defineLayer<Pool1dOptions, Pool1dConfig>({
  type: 'maxPooling1d',
  resolve: resolvePool1d,
  outputShape: pool1dOutputShape,
  forward: (context) => forwardMaxPool(context, sequenceWindow(context)),
  backward: (context) => backwardMaxPool(context, sequenceWindow(context)),
  examples: [
    { options: {}, inputShape: [6, 3] },
    { options: { poolSize: 3, strides: 2, padding: 'same' }, inputShape: [7, 5] },
    { options: { poolSize: 3, strides: 1, padding: { left: 2, right: 0 } }, inputShape: [5, 8] },
  ],
});
