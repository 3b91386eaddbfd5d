/**
 * Global max pooling: the largest value of each channel over all pixels.
 *   input [H, W, C], output [C]
 *   forward: y_c = max over y, x of x_yxc; backward: dY_c goes to the first maximum in row-major order
 * Both are max pooling with one window that covers the image; NaN and ties: its kernels.
 */
import type { MaxPoolBackwardSpec } from '../kernels/max-pool-backward.ts';
import type { MaxPoolForwardSpec } from '../kernels/max-pool-forward.ts';
import { wholeImage } from './global-average-pooling2d.ts';
import { type CommonOptions, defineLayer } from './layer.ts';

/** The maximum of each channel, as in Keras: [H, W, C] to [C]. Throws ShapeError for inputs that are not images. */
export const globalMaxPooling2d = defineLayer<CommonOptions, Record<string, never>>({
  type: 'globalMaxPooling2d',
  resolve: () => ({}),
  outputShape(_config, [input], operation) {
    wholeImage(input!, operation);
    return [input![2]!];
  },
  forward({ inputs: [input], output, call }) {
    const spec: MaxPoolForwardSpec = {
      kind: 'maxPoolForward',
      input: input!.view,
      output: output.view,
      window: wholeImage(input!.shape),
    };
    call(spec, [input!.origin, output.origin, 'count']);
  },
  backward({ inputs: [input], gradOutput, call, gradInput: ask }) {
    const gradInput = ask();
    if (gradInput === undefined) return;
    const spec: MaxPoolBackwardSpec = {
      kind: 'maxPoolBackward',
      input: input!.view,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      window: wholeImage(input!.shape),
      accumulate: gradInput.accumulate,
    };
    call(spec, [input!.origin, gradOutput.origin, gradInput.origin, 'count']);
  },
  examples: [
    { options: {}, inputShape: [4, 5, 3] },
    { options: {}, inputShape: [1, 7, 18] },
    { options: {}, inputShape: [3, 3, 8] },
  ],
});
