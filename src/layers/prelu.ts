/**
 * Parametric ReLU (the seed's figure 2.6): y = x for x >= 0, alpha_c * x below, alpha learned per channel.
 *   input, output [H, W, C], [L, C] or [F]; alpha [C] or [F]
 */
import type { PreluBackwardSpec } from '../kernels/prelu-backward.ts';
import type { PreluForwardSpec } from '../kernels/prelu-forward.ts';
import { checkInitializer, type Initializer } from '../tensor/initializers.ts';
import { defineLayer } from './layer.ts';

export interface PreluOptions {
  /** Start of alpha; default zeros, as in Keras. */
  readonly alphaInitializer?: Initializer;
}

export interface PreluConfig {
  readonly alphaInitializer: Initializer;
}

/** ReLU with a learned slope for negative inputs, one a channel. Throws ConfigError for an unknown initialiser. */
export const prelu = defineLayer<PreluOptions, PreluConfig>({
  type: 'prelu',
  resolve: ({ alphaInitializer = 'zeros' }, operation) => ({
    alphaInitializer: checkInitializer(operation, 'alphaInitializer', alphaInitializer),
  }),
  outputShape: (_config, [input]) => input!,
  parameters: (config, [input]) => [
    { name: 'alpha', shape: [input!.at(-1)!], initializer: config.alphaInitializer },
  ],
  forward(context) {
    const { inputs, output, call } = context;
    const spec: PreluForwardSpec = {
      kind: 'preluForward',
      input: inputs[0]!.view,
      output: output.view,
    };
    call(spec, [inputs[0]!.origin, context.parameter('alpha'), output.origin, 'count']);
  },
  backward(context) {
    const { inputs, gradOutput, call } = context;
    const alpha = context.gradParameter('alpha');
    const gradInput = context.gradInput();
    const target = gradInput ?? gradOutput;
    const spec: PreluBackwardSpec = {
      kind: 'preluBackward',
      input: inputs[0]!.view,
      gradOutput: gradOutput.view,
      gradInput: target.view,
      accumulate: gradInput?.accumulate ?? false,
      accumulateAlpha: alpha?.accumulate ?? false,
    };
    const gradAlpha = alpha?.origin ?? context.scratch(inputs[0]!.view.channels);
    const operands = [inputs[0]!.origin, context.parameter('alpha'), gradOutput.origin] as const;
    call(spec, [...operands, target.origin, gradAlpha, 'count']);
  },
  examples: [
    { options: { alphaInitializer: { name: 'constant', value: 0.25 } }, inputShape: [3, 4, 5] },
    { options: {}, inputShape: [6] },
  ],
});
