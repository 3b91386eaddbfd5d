/**
 * Global average pooling along a sequence: the mean of each channel over all steps.
 *   input [L, C], output [C]
 * It is pooling with one window that covers the sequence; orders of sums, NaN and ties: its kernels.
 */
import { type CommonOptions, defineLayer } from './layer.ts';
import { backwardAveragePool, forwardAveragePool } from './pool-passes.ts';
import { wholeSequence } from './pooling1d-options.ts';

/** The mean of each channel, as in Keras: [L, C] to [C]. Throws ShapeError for inputs that are not sequences. */
export const globalAveragePooling1d = defineLayer<CommonOptions, Record<string, never>>({
  type: 'globalAveragePooling1d',
  resolve: () => ({}),
  outputShape(_config, [input], operation) {
    wholeSequence(input!, operation);
    return [input![1]!];
  },
  forward: (context) => forwardAveragePool(context, wholeSequence(context.inputs[0]!.shape)),
  backward: (context) => backwardAveragePool(context, wholeSequence(context.inputs[0]!.shape)),
  examples: [
    { options: {}, inputShape: [5, 3] },
    { options: {}, inputShape: [7, 18] },
  ],
});
