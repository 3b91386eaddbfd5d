/**
 * Product of two or more inputs, element by element (gates, attention).
 *   inputs, output [H, W, C], [L, C] or [F]; smaller inputs are broadcast (broadcasting.ts)
 *   forward:  y = ((x0 * x1) * x2) * ..., each product rounded to f32
 *   backward: dX of an input = dY times all the others, in their order
 */
import type { MultiplyViewsSpec } from '../kernels/multiply-views.ts';
import { beginGradient, broadcastShape, forEachBroadcast, mergingExamples } from './broadcasting.ts';
import { type CommonOptions, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';

function multiplyTensors(
  { call }: Pick<ForwardContext<unknown>, 'call'>,
  factors: readonly TensorRef[],
  output: TensorRef,
  accumulate: boolean,
): void {
  forEachBroadcast([...factors, output], (alike) => {
    const inputs = alike.slice(0, -1).map(({ view }) => view);
    const spec: MultiplyViewsSpec = { kind: 'multiplyViews', inputs, output: alike.at(-1)!.view, accumulate };
    call(spec, [...alike.map(({ origin }) => origin), 'count']);
  });
}

/** The product of its inputs, broadcast as in Keras. Throws ShapeError where their shapes do not fit. */
export const multiply = defineLayer<CommonOptions, Record<string, never>>({
  type: 'multiply',
  severalInputs: true,
  resolve: () => ({}),
  outputShape: (_config, inputs, operation) => broadcastShape(operation, inputs),
  forward: (context) => multiplyTensors(context, context.inputs, context.output, false),
  backward(context) {
    const { inputs, gradOutput } = context;
    inputs.forEach((_, i) => {
      const asked = context.gradInput(i);
      if (asked === undefined) return;
      const gradInput = beginGradient(context, asked, gradOutput);
      const factors = [gradOutput, ...inputs.filter((_input, j) => j !== i)];
      multiplyTensors(context, factors, gradInput, gradInput.accumulate);
    });
  },
  examples: mergingExamples,
});
