/**
 * Product of two or more inputs of one shape, element by element (gates, attention).
 *   inputs, output [H, W, C], [L, C] or [F]
 *   forward:  y = ((x0 * x1) * x2) * ..., each product rounded to f32
 *   backward: dX of an input = dY times all the others, in their order
 */
import type { MultiplyViewsSpec } from '../kernels/multiply-views.ts';
import { type CommonOptions, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';
import { checkSameShapes } from './options.ts';

function multiplyTensors(
  { call }: Pick<ForwardContext<unknown>, 'call'>,
  factors: readonly TensorRef[],
  output: TensorRef,
  accumulate: boolean,
): void {
  const inputs = factors.map(({ view }) => view);
  const spec: MultiplyViewsSpec = { kind: 'multiplyViews', inputs, output: output.view, accumulate };
  call(spec, [...factors.map(({ origin }) => origin), output.origin, 'count']);
}

/** The product of its inputs, which have one shape. Throws ShapeError where they do not. */
export const multiply = defineLayer<CommonOptions, Record<string, never>>({
  type: 'multiply',
  severalInputs: true,
  resolve: () => ({}),
  outputShape(_config, inputs, operation) {
    checkSameShapes(operation, inputs);
    return inputs[0]!;
  },
  forward: (context) => multiplyTensors(context, context.inputs, context.output, false),
  backward(context) {
    const { inputs, gradOutput } = context;
    inputs.forEach((_, i) => {
      const gradInput = context.gradInput(i);
      if (gradInput === undefined) return;
      const factors = [gradOutput, ...inputs.filter((_input, j) => j !== i)];
      multiplyTensors(context, factors, gradInput, gradInput.accumulate);
    });
  },
  examples: [
    { options: {}, inputShape: [3, 5, 3], otherInputShapes: [[3, 5, 3]] },
    { options: {}, inputShape: [7], otherInputShapes: [[7], [7]] },
  ],
});
