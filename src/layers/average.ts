/**
 * Mean of two or more inputs of one shape, element by element.
 *   inputs, output [H, W, C], [L, C] or [F]
 *   forward:  y = ((x0 + x1) + ...) / n, each operation rounded to f32
 *   backward: dX = dY / n for every input
 */
import type { AverageViewsSpec } from '../kernels/average-views.ts';
import { type CommonOptions, defineLayer } from './layer.ts';
import { checkSameShapes } from './options.ts';

/** The mean of its inputs, which have one shape. Throws ShapeError where they do not. */
export const average = defineLayer<CommonOptions, Record<string, never>>({
  type: 'average',
  severalInputs: true,
  resolve: () => ({}),
  outputShape(_config, inputs, operation) {
    checkSameShapes(operation, inputs);
    return inputs[0]!;
  },
  forward({ inputs, output, call }) {
    const spec: AverageViewsSpec = {
      kind: 'averageViews',
      inputs: inputs.map(({ view }) => view),
      divisor: inputs.length,
      output: output.view,
      accumulate: false,
    };
    call(spec, [...inputs.map(({ origin }) => origin), output.origin, 'count']);
  },
  backward(context) {
    const { inputs, gradOutput, call } = context;
    inputs.forEach((_, i) => {
      const gradInput = context.gradInput(i);
      if (gradInput === undefined) return;
      const spec: AverageViewsSpec = {
        kind: 'averageViews',
        inputs: [gradOutput.view],
        divisor: inputs.length,
        output: gradInput.view,
        accumulate: gradInput.accumulate,
      };
      call(spec, [gradOutput.origin, gradInput.origin, 'count']);
    });
  },
  examples: [
    { options: {}, inputShape: [3, 5, 3], otherInputShapes: [[3, 5, 3]] },
    { options: {}, inputShape: [7], otherInputShapes: [[7], [7]] },
  ],
});
