/**
 * Global max pooling: the largest value of each channel over all pixels.
 *   input [H, W, C], output [C]
 *   forward: y_c = max over y, x of x_yxc; backward: dY_c goes to the first maximum in row-major order
 * Both are max pooling with one window that covers the image; NaN and ties: its kernels.
 */
import { wholeImage } from './global-average-pooling2d.ts';
import { type CommonOptions, defineLayer } from './layer.ts';
import { backwardMaxPool, forwardMaxPool } from './pool-passes.ts';

/** The maximum of each channel, as in Keras: [H, W, C] to [C]. Throws ShapeError for inputs that are not images. */
export const globalMaxPooling2d = defineLayer<CommonOptions, Record<string, never>>({
  type: 'globalMaxPooling2d',
  resolve: () => ({}),
  outputShape(_config, [input], operation) {
    wholeImage(input!, operation);
    return [input![2]!];
  },
  forward: (context) => forwardMaxPool(context, wholeImage(context.inputs[0]!.shape)),
  backward: (context) => backwardMaxPool(context, wholeImage(context.inputs[0]!.shape)),
  examples: [
    { options: {}, inputShape: [4, 5, 3] },
    { options: {}, inputShape: [1, 7, 18] },
    { options: {}, inputShape: [3, 3, 8] },
  ],
});
