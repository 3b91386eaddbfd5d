/**
 * Largest of two or more inputs of one shape, element by element (maxout).
 *   inputs, output [H, W, C], [L, C] or [F]
 *   forward:  y = the largest of x0, x1, ...; the first of equal ones counts, NaN beats every number
 *   backward: dX = dY for the input that counts, 0 for the others
 */
import type { MaximumViewsSpec } from '../kernels/maximum-views.ts';
import type { MaximumViewsBackwardSpec } from '../kernels/maximum-views-backward.ts';
import { type CommonOptions, defineLayer } from './layer.ts';
import { checkSameShapes } from './options.ts';

/** The largest of its inputs, which have one shape. Throws ShapeError where they do not. */
export const maximum = defineLayer<CommonOptions, Record<string, never>>({
  type: 'maximum',
  severalInputs: true,
  resolve: () => ({}),
  outputShape(_config, inputs, operation) {
    checkSameShapes(operation, inputs);
    return inputs[0]!;
  },
  forward({ inputs, output, call }) {
    const views = inputs.map(({ view }) => view);
    const spec: MaximumViewsSpec = { kind: 'maximumViews', inputs: views, output: output.view };
    call(spec, [...inputs.map(({ origin }) => origin), output.origin, 'count']);
  },
  backward(context) {
    const { inputs, gradOutput, call } = context;
    inputs.forEach((_, index) => {
      const gradInput = context.gradInput(index);
      if (gradInput === undefined) return;
      const spec: MaximumViewsBackwardSpec = {
        kind: 'maximumViewsBackward',
        inputs: inputs.map(({ view }) => view),
        index,
        gradOutput: gradOutput.view,
        gradInput: gradInput.view,
        accumulate: gradInput.accumulate,
      };
      call(spec, [...inputs.map(({ origin }) => origin), gradOutput.origin, gradInput.origin, 'count']);
    });
  },
  examples: [
    { options: {}, inputShape: [3, 5, 3], otherInputShapes: [[3, 5, 3]] },
    { options: {}, inputShape: [7], otherInputShapes: [[7], [7]] },
  ],
});
