/**
 * Lp pooling: the p-norm of each window (PyTorch's LPPool2d): between the sum of magnitudes (p = 1) and their maximum.
 *   input [H, W, C], output [Ho, Wo, C]
 *   forward: y = (sum over the window of |x|^p)^(1/p); zeros of the padding add nothing
 *   backward: dX = dY sign(x) (|x| / y)^(p-1); 0 where x is 0
 */
import type { LpPoolBackwardSpec } from '../kernels/lp-pool-backward.ts';
import { checkNorm, type LpPoolForwardSpec } from '../kernels/lp-pool-forward.ts';
import { defineLayer } from './layer.ts';
import {
  imageWindow,
  type PoolConfig,
  type PoolOptions,
  poolOutputShape,
  resolvePool,
} from './pooling-options.ts';

export interface LpPoolOptions extends PoolOptions {
  /** The norm, at least 1; default 2. */
  readonly p?: number;
}

export interface LpPoolConfig extends PoolConfig {
  readonly p: number;
}

/**
 * Norm of each window. Options: p (2), and as maxPooling2d poolSize (2), strides (poolSize), padding ('valid').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const lpPooling2d = defineLayer<LpPoolOptions, LpPoolConfig>({
  type: 'lpPooling2d',
  resolve(options, operation) {
    const { p = 2 } = options;
    checkNorm(operation, p);
    return { ...resolvePool(options, operation), p };
  },
  outputShape: poolOutputShape,
  forward(context) {
    const { config, inputs, output, call } = context;
    const spec: LpPoolForwardSpec = {
      kind: 'lpPoolForward',
      input: inputs[0]!.view,
      output: output.view,
      window: imageWindow(context),
      p: config.p,
    };
    call(spec, [inputs[0]!.origin, output.origin, 'count']);
  },
  backward(context) {
    const { config, inputs, gradOutput, call } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    const spec: LpPoolBackwardSpec = {
      kind: 'lpPoolBackward',
      input: inputs[0]!.view,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      window: imageWindow(context),
      p: config.p,
      accumulate: gradInput.accumulate,
    };
    call(spec, [inputs[0]!.origin, gradOutput.origin, gradInput.origin, 'count']);
  },
  examples: [
    { options: {}, inputShape: [4, 6, 3] },
    { options: { p: 3, poolSize: 3, strides: 2, padding: 'same' }, inputShape: [5, 4, 5] },
    { options: { p: 1, poolSize: [1, 2] }, inputShape: [3, 4, 2] },
  ],
});
