/**
 * Global average pooling: the mean of each channel over all pixels (Lin, Chen, Yan, "Network in Network", 2014,
 * section 3.2), where other networks flatten.
 *   input [H, W, C], output [C]
 *   forward: y_c = (sum over y, x of x_yxc) / (H W); backward: every pixel gets dY_c / (H W)
 * Both are average pooling with one window that covers the image; orders of sums: its kernels.
 */
import { type PoolWindow, poolWindow } from '../tensor/pooling.ts';
import type { Shape } from '../tensor/shape.ts';
import { type CommonOptions, defineLayer } from './layer.ts';
import { backwardAveragePool, forwardAveragePool } from './pool-passes.ts';

/** The window that covers an image; throws ShapeError for a vector. */
export function wholeImage(input: Shape, operation = 'globalPooling'): PoolWindow {
  const [height, width] = input as [number, number, number];
  return poolWindow(operation, input, { poolSize: [height, width] });
}

/** The mean of each channel, as in Keras: [H, W, C] to [C]. Throws ShapeError for inputs that are not images. */
export const globalAveragePooling2d = defineLayer<CommonOptions, Record<string, never>>({
  type: 'globalAveragePooling2d',
  resolve: () => ({}),
  outputShape(_config, [input], operation) {
    wholeImage(input!, operation);
    return [input![2]!];
  },
  forward: (context) => forwardAveragePool(context, wholeImage(context.inputs[0]!.shape)),
  backward: (context) => backwardAveragePool(context, wholeImage(context.inputs[0]!.shape)),
  examples: [
    { options: {}, inputShape: [4, 5, 3] },
    { options: {}, inputShape: [1, 7, 18] },
    { options: {}, inputShape: [3, 3, 8] },
  ],
});
