/**
 * Max pooling (the seed's section 2.2; gradient routing: end of its chapter 3).
 *   input [H, W, C], output [Ho, Wo, C]; taps in the padding do not take part
 *   backward: the gradient goes to the first maximum of the window in row-major order
 */
import type { MaxPoolBackwardSpec } from '../kernels/max-pool-backward.ts';
import type { MaxPoolForwardSpec } from '../kernels/max-pool-forward.ts';
import { defineLayer } from './layer.ts';
import {
  type PoolConfig,
  type PoolOptions,
  poolOutputShape,
  resolvePool,
  windowOf,
} from './pooling-options.ts';

/**
 * Largest value of each window. Options as in Keras: poolSize (2), strides (poolSize), padding ('valid').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const maxPooling2d = defineLayer<PoolOptions, PoolConfig>({
  type: 'maxPooling2d',
  resolve: resolvePool,
  outputShape: poolOutputShape,
  forward({ config, inputs, output, call }) {
    const [input] = inputs;
    const spec: MaxPoolForwardSpec = {
      kind: 'maxPoolForward',
      input: input!.view,
      output: output.view,
      window: windowOf(config, input!.shape),
    };
    call(spec, [input!.origin, output.origin, 'count']);
  },
  backward({ config, inputs, gradOutput, call, gradInput: ask }) {
    const [input] = inputs;
    const gradInput = ask();
    if (gradInput === undefined) return;
    const spec: MaxPoolBackwardSpec = {
      kind: 'maxPoolBackward',
      input: input!.view,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      window: windowOf(config, input!.shape),
      accumulate: gradInput.accumulate,
    };
    call(spec, [input!.origin, gradOutput.origin, gradInput.origin, 'count']);
  },
  examples: [
    { options: { poolSize: 2 }, inputShape: [6, 4, 3] },
    { options: { poolSize: 3, strides: 2, padding: 'same' }, inputShape: [5, 6, 5] },
    { options: { poolSize: [2, 3], strides: [1, 2] }, inputShape: [5, 7, 2] },
  ],
});
