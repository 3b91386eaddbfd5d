/**
 * The product of several batches of activations, element by element: a merging layer's output, and the gradient of one of
 * its inputs.
 *
 *   input0, input1, ...  [n, H, W, C]
 *   output               [n, H, W, C]; overlaps no input
 *
 *   output = ((input0 * input1) * input2) * ...      (+ output where `accumulate`), each rounded to f32
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';
import { checkSeveralImages, inputBuffers } from './several-views.ts';

export interface MultiplyViewsSpec {
  readonly kind: 'multiplyViews';
  /** At least one. */
  readonly inputs: readonly View[];
  readonly output: View;
  /** Whether the product is added to what the output holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const multiplyViewsFamily: KernelFamily<MultiplyViewsSpec> = {
  kind: 'multiplyViews',
  args: ({ inputs, output, accumulate }) => [
    ...inputBuffers(inputs),
    viewBuffer('output', accumulate ? 'inout' : 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ inputs, output, accumulate }, { f32 }) {
    checkSeveralImages('multiplyViews', inputs, { output });
    const views = [...inputs, output];
    return (...args) => {
      forEachPixel(views, args.slice(0, views.length), args[views.length]!, (at) => {
        const to = at[inputs.length]!;
        for (let c = 0; c < output.channels; c++) {
          let product = f32[at[0]! + c]!;
          for (let i = 1; i < inputs.length; i++) product = f(product * f32[at[i]! + c]!);
          f32[to + c] = accumulate ? f(f32[to + c]! + product) : product;
        }
      });
    };
  },
  flops: ({ inputs, output }, count) => inputs.length * count * elementsPerImage(output),
};
