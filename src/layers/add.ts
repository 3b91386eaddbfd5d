/**
 * Sum of two or more inputs, element by element (the skip connections of residual networks).
 *   inputs, output [H, W, C], [L, C] or [F]; smaller inputs are broadcast (broadcasting.ts)
 *   forward:  y = ((x0 + x1) + x2) + ..., each sum rounded to f32
 *   backward: dX = dY for every input
 */
import type { CopyViewSpec } from '../kernels/copy-view.ts';
import { beginGradient, broadcastShape, forEachBroadcast, mergingExamples } from './broadcasting.ts';
import { type CommonOptions, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';

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

/** The sum of its inputs, broadcast as in Keras. Throws ShapeError where their shapes do not fit. */
export const add = defineLayer<CommonOptions, Record<string, never>>({
  type: 'add',
  severalInputs: true,
  resolve: () => ({}),
  outputShape: (_config, inputs, operation) => broadcastShape(operation, inputs),
  forward(context) {
    context.inputs.forEach((input, i) => {
      forEachBroadcast([input, context.output], ([from, to]) => {
        copyTensor(context, from!, to!, i > 0);
      });
    });
  },
  backward(context) {
    context.inputs.forEach((_, i) => {
      const asked = context.gradInput(i);
      if (asked === undefined) return;
      const gradInput = beginGradient(context, asked, context.gradOutput);
      forEachBroadcast([context.gradOutput, gradInput], ([from, to]) => {
        copyTensor(context, from!, to!, gradInput.accumulate);
      });
    });
  },
  examples: mergingExamples,
});
