/**
 * Dropout (the seed's section 2.4), inverted: y = x * mask with mask 0 or 1/(1 - rate); the identity
 * outside of training. dX = dY * mask. The mask of an element is a pure function of seed, layer name, step,
 * sample and element.
 */
import type { DropoutBackwardSpec } from '../kernels/dropout-backward.ts';
import type { DropoutForwardSpec } from '../kernels/dropout-forward.ts';
import { elementCount } from '../tensor/shape.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';
import { checkRate } from './options.ts';

export interface DropoutOptions {
  /** Share of the elements that is dropped, 0 <= rate < 1. */
  readonly rate: number;
}

function forward(context: ForwardContext<DropoutOptions>): void {
  const { config, inputs, output, call } = context;
  const [input] = inputs;
  const spec: DropoutForwardSpec = {
    kind: 'dropoutForward',
    rate: config.rate,
    input: input!.view,
    output: output.view,
  };
  const mask = context.saved('mask', elementCount(input!.shape));
  const [key0, key1] = context.streamKey('dropout');
  const operands = [input!.origin, output.origin, mask, key0, key1, context.step] as const;
  call(spec, [...operands, 'firstSample', 'count']);
}

function backward(context: BackwardContext<DropoutOptions>): void {
  const { inputs, gradOutput, call } = context;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: DropoutBackwardSpec = {
    kind: 'dropoutBackward',
    gradOutput: gradOutput.view,
    gradInput: gradInput.view,
    accumulate: gradInput.accumulate,
  };
  const mask = context.saved('mask', elementCount(inputs[0]!.shape));
  call(spec, [gradOutput.origin, mask, gradInput.origin, 'count']);
}

/** Drops a share of the elements while training. Throws ConfigError unless 0 <= rate < 1. */
export const dropout = defineLayer<DropoutOptions, DropoutOptions>({
  type: 'dropout',
  resolve: (options, operation) => ({ rate: checkRate(operation, 'rate', options.rate) }),
  outputShape: (_config, [input]) => input!,
  trainingOnly: true,
  forward,
  backward,
  examples: [
    { options: { rate: 0.5 }, inputShape: [37] },
    { options: { rate: 0.25 }, inputShape: [3, 4, 5] },
  ],
});
