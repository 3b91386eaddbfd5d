/**
 * Largest of two or more inputs, element by element (maxout).
 *   inputs, output [H, W, C], [L, C] or [F]; smaller inputs are broadcast (broadcasting.ts)
 *   forward:  y = the largest of x0, x1, ...; the first of equal ones counts, NaN beats every number
 *   backward: dX = dY for the input that counts, 0 for the others
 */
import type { MaximumViewsSpec } from '../kernels/maximum-views.ts';
import type { MaximumViewsBackwardSpec } from '../kernels/maximum-views-backward.ts';
import { beginGradient, broadcastShape, forEachBroadcast, mergingExamples } from './broadcasting.ts';
import { type CommonOptions, defineLayer } from './layer.ts';

/** The largest of its inputs, broadcast as in Keras. Throws ShapeError where their shapes do not fit. */
export const maximum = defineLayer<CommonOptions, Record<string, never>>({
  type: 'maximum',
  severalInputs: true,
  resolve: () => ({}),
  outputShape: (_config, inputs, operation) => broadcastShape(operation, inputs),
  forward({ inputs, output, call }) {
    forEachBroadcast([...inputs, output], (alike) => {
      const views = alike.slice(0, -1).map(({ view }) => view);
      const spec: MaximumViewsSpec = { kind: 'maximumViews', inputs: views, output: alike.at(-1)!.view };
      call(spec, [...alike.map(({ origin }) => origin), 'count']);
    });
  },
  backward(context) {
    const { inputs, gradOutput, call } = context;
    inputs.forEach((_, index) => {
      const asked = context.gradInput(index);
      if (asked === undefined) return;
      const gradInput = beginGradient(context, asked, gradOutput);
      forEachBroadcast([...inputs, gradOutput, gradInput], (alike) => {
        const spec: MaximumViewsBackwardSpec = {
          kind: 'maximumViewsBackward',
          inputs: alike.slice(0, -2).map(({ view }) => view),
          index,
          gradOutput: alike.at(-2)!.view,
          gradInput: alike.at(-1)!.view,
          accumulate: gradInput.accumulate,
        };
        call(spec, [...alike.map(({ origin }) => origin), 'count']);
      });
    });
  },
  examples: mergingExamples,
});
