/**
 * Parametric ReLU: a slope below 0 that is learned, one a channel (He et al., arXiv:1502.01852, eq. 1).
 *
 *   input   [n, H, W, C]
 *   alpha   [C]
 *   output  [n, H, W, C]; may be the input, in the same layout
 *
 *   output = input where input >= 0, else alpha[c] * input, rounded to f32; NaN and -0 pass
 */
import type { View } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface PreluForwardSpec {
  readonly kind: 'preluForward';
  readonly input: View;
  readonly output: View;
}

const f = Math.fround;

export const preluForwardFamily: KernelFamily<PreluForwardSpec> = {
  kind: 'preluForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    f32Buffer('alpha', 'in', () => input.channels),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ input, output }, { f32 }) {
    checkSameImages('preluForward', { input, output });
    return (inputBytes, alphaBytes, outputBytes, count) => {
      const alpha = alphaBytes! >>> 2;
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, ([from, to]) => {
        for (let c = 0; c < input.channels; c++) {
          const x = f32[from! + c]!;
          f32[to! + c] = x < 0 ? f(f32[alpha + c]! * x) : x;
        }
      });
    };
  },
  flops: ({ input }, count) => count * elementsPerImage(input),
};
