/**
 * Softmax over the channels of each pixel.
 *
 *   input   [n, H, W, C]
 *   output  [n, H, W, C]; may be the input, in the same layout
 *
 *   output[c] = e^(input[c] - m) / sum over k of e^(input[k] - m),   m = max over k of input[k]
 *
 * Computed in f64 with src/math's exp, the sum in the order of channels from +0; each quotient is rounded to
 * f32. A pixel with NaN or +Infinity, or of -Infinity alone, becomes NaN throughout.
 */
import { exp } from '../math/exp.ts';
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface SoftmaxForwardSpec {
  readonly kind: 'softmaxForward';
  readonly input: View;
  readonly output: View;
}

export const softmaxForwardFamily: KernelFamily<SoftmaxForwardSpec> = {
  kind: 'softmaxForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ input, output }, { f32 }) {
    checkSameImages('softmaxForward', { input, output });
    const { channels } = input;
    const powers = new Float64Array(channels);
    return (inputBytes, outputBytes, count) => {
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, ([from, to]) => {
        let max = f32[from!]!;
        for (let c = 1; c < channels; c++) if (f32[from! + c]! > max) max = f32[from! + c]!;
        let sum = 0;
        for (let c = 0; c < channels; c++) {
          powers[c] = exp(f32[from! + c]! - max);
          sum += powers[c]!;
        }
        for (let c = 0; c < channels; c++) f32[to! + c] = Math.fround(powers[c]! / sum);
      });
    };
  },
  flops: ({ input }, count) => 4 * count * elementsPerImage(input),
};
