/**
 * Sum of two or more inputs of one shape, element by element (the skip connections of residual networks).
 *   inputs, output [H, W, C], [L, C] or [F]
 *   forward:  y = ((x0 + x1) + x2) + ..., each sum rounded to f32
 *   backward: dX = dY for every input
 */
import type { CopyViewSpec } from '../kernels/copy-view.ts';
import { type CommonOptions, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';
import { checkSameShapes } from './options.ts';

/** to = from, or to + from where `accumulate`. */
export function copyTensor(
  { call }: Pick<ForwardContext<unknown>, 'call'>,
  from: TensorRef,
  to: TensorRef,
  accumulate: boolean,
): void {
  const spec: CopyViewSpec = { kind: 'copyView', input: from.view, output: to.view, accumulate };
  call(spec, [from.origin, to.origin, 'count']);
}

/** The sum of its inputs, which have one shape. Throws ShapeError where they do not. */
export const add = defineLayer<CommonOptions, Record<string, never>>({
  type: 'add',
  severalInputs: true,
  resolve: () => ({}),
  outputShape(_config, inputs, operation) {
    checkSameShapes(operation, inputs);
    return inputs[0]!;
  },
  forward(context) {
    context.inputs.forEach((input, i) => {
      copyTensor(context, input, context.output, i > 0);
    });
  },
  backward(context) {
    context.inputs.forEach((_, i) => {
      const gradInput = context.gradInput(i);
      if (gradInput !== undefined) copyTensor(context, context.gradOutput, gradInput, gradInput.accumulate);
    });
  },
  examples: [
    { options: {}, inputShape: [3, 5, 3], otherInputShapes: [[3, 5, 3]] },
    { options: {}, inputShape: [7], otherInputShapes: [[7], [7]] },
  ],
});
