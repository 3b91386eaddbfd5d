/**
 * Average pooling along a sequence: that of an image of one row.
 *   input [L, C], output [Lo, C]
 *   forward: the mean of the window's steps inside the sequence (or of all, padding counted as zeros)
 *   backward: each of them gets its share of the gradient
 */
import { defineLayer } from './layer.ts';
import { checkFlag } from './options.ts';
import { backwardAveragePool, forwardAveragePool } from './pool-passes.ts';
import {
  type Pool1dConfig,
  type Pool1dOptions,
  pool1dOutputShape,
  resolvePool1d,
  sequenceWindow,
} from './pooling1d-options.ts';

export interface AveragePool1dOptions extends Pool1dOptions {
  /** Whether steps in the padding count as zeros (PyTorch's count_include_pad); default false, as in Keras. */
  readonly countPadding?: boolean;
}

export interface AveragePool1dConfig extends Pool1dConfig {
  readonly countPadding: boolean;
}

/**
 * Mean of each window. Options as in Keras: poolSize (2), strides (poolSize), padding ('valid'); and countPadding.
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const averagePooling1d = defineLayer<AveragePool1dOptions, AveragePool1dConfig>({
  type: 'averagePooling1d',
  resolve: (options, operation) => ({
    ...resolvePool1d(options, operation),
    countPadding: checkFlag(operation, 'countPadding', options.countPadding ?? false),
  }),
  outputShape: pool1dOutputShape,
  forward: (context) => forwardAveragePool(context, sequenceWindow(context), context.config.countPadding),
  backward: (context) => backwardAveragePool(context, sequenceWindow(context), context.config.countPadding),
  examples: [
    { options: {}, inputShape: [6, 3] },
    { options: { poolSize: 3, strides: 2, padding: 'same' }, inputShape: [7, 5] },
    { options: { poolSize: 3, strides: 1, padding: 'same', countPadding: true }, inputShape: [4, 2] },
  ],
});
