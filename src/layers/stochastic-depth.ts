/**
 * Stochastic depth (Huang, Sun, Liu, Sedra, Weinberger, "Deep Networks with Stochastic Depth", 2016): at the end of a
 * residual branch, before it is added to its shortcut, it leaves out the whole branch for a share of the samples.
 *   input, output [H, W, C], [L, C] or [F]
 *   training:   y = x * mask with one number a sample, 0 or 1 / (1 - rate); dX = dY * mask
 *   inference:  y = x
 * A branch survives with probability 1 - rate. The paper keeps the scale in training and multiplies by the survival
 * probability in inference; scaled while training, as dropout is, the expectation is the same and inference costs
 * nothing. The mask is a pure function of seed, layer name, step and sample.
 *
 *     const branch = stochasticDepth({ rate: 0.2 })(residual(x));
 *     const y = activation({ function: 'relu' })(add()([x, branch]));
 */
import { defineLayer } from './layer.ts';
import { maskedBackward, maskedForward } from './masking.ts';
import { checkRate } from './options.ts';

export interface StochasticDepthOptions {
  /** Share of the samples whose branch is left out, 0 <= rate < 1; default 0.5. The survival probability is 1 - rate. */
  readonly rate?: number;
}

/** Leaves out whole samples of a residual branch while training. Throws ConfigError unless 0 <= rate < 1. */
export const stochasticDepth = defineLayer<StochasticDepthOptions, Required<StochasticDepthOptions>>({
  type: 'stochasticDepth',
  resolve: ({ rate = 0.5 }, operation) => ({ rate: checkRate(operation, 'rate', rate) }),
  outputShape: (_config, [input]) => input!,
  trainingOnly: true,
  forward: (context) => maskedForward(context, 'sample', 'stochasticDepth'),
  backward: (context) => maskedBackward(context, 'sample'),
  examples: [
    { options: {}, inputShape: [3, 4, 5] },
    { options: { rate: 0.25 }, inputShape: [7] },
  ],
});
