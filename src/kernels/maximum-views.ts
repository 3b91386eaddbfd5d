/**
 * The largest of several batches of activations, element by element.
 *
 *   input0, input1, ...  [n, H, W, C]
 *   output               [n, H, W, C]; overlaps no input
 *
 *   output = the largest of input0, input1, ...
 *
 * The rule is that of max pooling: of equal values (+0 and -0 are equal) the first counts; NaN beats every number, and
 * the first NaN is the maximum.
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';
import { checkSeveralImages, inputBuffers } from './several-views.ts';

export interface MaximumViewsSpec {
  readonly kind: 'maximumViews';
  /** At least one. */
  readonly inputs: readonly View[];
  readonly output: View;
}

/** Which of the elements at `at[0] + c`, `at[1] + c`, ... counts, of the first `inputs` ones. */
export function firstLargest(f32: Float32Array, at: readonly number[], inputs: number, c: number): number {
  let winner = 0;
  let best = f32[at[0]! + c]!;
  for (let i = 1; i < inputs; i++) {
    const value = f32[at[i]! + c]!;
    if (value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
      winner = i;
      best = value;
    }
  }
  return winner;
}

export const maximumViewsFamily: KernelFamily<MaximumViewsSpec> = {
  kind: 'maximumViews',
  args: ({ inputs, output }) => [
    ...inputBuffers(inputs),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ inputs, output }, { f32 }) {
    checkSeveralImages('maximumViews', inputs, { output });
    const views = [...inputs, output];
    return (...args) => {
      forEachPixel(views, args.slice(0, views.length), args[views.length]!, (at) => {
        for (let c = 0; c < output.channels; c++) {
          f32[at[inputs.length]! + c] = f32[at[firstLargest(f32, at, inputs.length, c)]! + c]!;
        }
      });
    };
  },
  flops: ({ inputs, output }, count) => inputs.length * count * elementsPerImage(output),
};
