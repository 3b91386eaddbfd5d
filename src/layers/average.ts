/**
 * Mean of two or more inputs, element by element.
 *   inputs, output [H, W, C], [L, C] or [F]; smaller inputs are broadcast (broadcasting.ts)
 *   forward:  y = ((x0 + x1) + ...) / n, each operation rounded to f32
 *   backward: dX = dY / n for every input
 */
import type { AverageViewsSpec } from '../kernels/average-views.ts';
import { beginGradient, broadcastShape, forEachBroadcast, mergingExamples } from './broadcasting.ts';
import { type CommonOptions, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';

function averageTensors(
  { call }: Pick<ForwardContext<unknown>, 'call'>,
  inputs: readonly TensorRef[],
  divisor: number,
  output: TensorRef,
  accumulate: boolean,
): void {
  forEachBroadcast([...inputs, output], (alike) => {
    const spec: AverageViewsSpec = {
      kind: 'averageViews',
      inputs: alike.slice(0, -1).map(({ view }) => view),
      divisor,
      output: alike.at(-1)!.view,
      accumulate,
    };
    call(spec, [...alike.map(({ origin }) => origin), 'count']);
  });
}

/** The mean of its inputs, broadcast as in Keras. Throws ShapeError where their shapes do not fit. */
export const average = defineLayer<CommonOptions, Record<string, never>>({
  type: 'average',
  severalInputs: true,
  resolve: () => ({}),
  outputShape: (_config, inputs, operation) => broadcastShape(operation, inputs),
  forward: (context) => averageTensors(context, context.inputs, context.inputs.length, context.output, false),
  backward(context) {
    const { inputs, gradOutput } = context;
    inputs.forEach((_, i) => {
      const asked = context.gradInput(i);
      if (asked === undefined) return;
      const gradInput = beginGradient(context, asked, gradOutput);
      averageTensors(context, [gradOutput], inputs.length, gradInput, gradInput.accumulate);
    });
  },
  examples: mergingExamples,
});
