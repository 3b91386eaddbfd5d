/**
 * The mean of several batches of activations, element by element, and its gradient: one input over another divisor.
 *
 *   input0, input1, ...  [n, H, W, C]
 *   output               [n, H, W, C]; overlaps no input
 *
 *   output = (((input0 + input1) + ...) / divisor)      (+ output where `accumulate`), each rounded to f32
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';
import { checkSeveralImages, inputBuffers } from './several-views.ts';

export interface AverageViewsSpec {
  readonly kind: 'averageViews';
  /** At least one. */
  readonly inputs: readonly View[];
  /** A positive integer. */
  readonly divisor: number;
  readonly output: View;
  /** Whether the mean is added to what the output holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const averageViewsFamily: KernelFamily<AverageViewsSpec> = {
  kind: 'averageViews',
  args: ({ inputs, output, accumulate }) => [
    ...inputBuffers(inputs),
    viewBuffer('output', accumulate ? 'inout' : 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ inputs, divisor, output, accumulate }, { f32 }) {
    checkSeveralImages('averageViews', inputs, { output });
    const views = [...inputs, output];
    return (...args) => {
      forEachPixel(views, args.slice(0, views.length), args[views.length]!, (at) => {
        const to = at[inputs.length]!;
        for (let c = 0; c < output.channels; c++) {
          let sum = f32[at[0]! + c]!;
          for (let i = 1; i < inputs.length; i++) sum = f(sum + f32[at[i]! + c]!);
          const mean = f(sum / divisor);
          f32[to + c] = accumulate ? f(f32[to + c]! + mean) : mean;
        }
      });
    };
  },
  flops: ({ inputs, output }, count) => (inputs.length + 1) * count * elementsPerImage(output),
};
