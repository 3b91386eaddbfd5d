/**
 * Copies a batch of activations from one layout to another, or adds it to what is there.
 *
 *   input, output  [n, H, W, C], the same H, W, C; they do not overlap
 *
 *   output = input                           or  output + input  where `accumulate`, rounded to f32
 *
 * Neither halo is read or written.
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface CopyViewSpec {
  readonly kind: 'copyView';
  readonly input: View;
  readonly output: View;
  /** Whether the input is added to what the output holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const copyViewFamily: KernelFamily<CopyViewSpec> = {
  kind: 'copyView',
  args: ({ input, output, accumulate }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', accumulate ? 'inout' : 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ input, output, accumulate }, { f32 }) {
    checkSameImages('copyView', { input, output });
    const { channels } = input;
    return (inputBytes, outputBytes, count) => {
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, (at) => {
        const [from, to] = at as [number, number];
        for (let c = 0; c < channels; c++) {
          const value = f32[from + c]!;
          f32[to + c] = accumulate ? f(f32[to + c]! + value) : value;
        }
      });
    };
  },
  flops: ({ input, accumulate }, count) => (accumulate ? count * elementsPerImage(input) : 0),
};
