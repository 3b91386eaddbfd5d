/**
 * The gradients of parametric ReLU (He et al., arXiv:1502.01852, eq. 2 and 3).
 *
 *   input       [n, H, W, C], as the forward pass had it
 *   alpha       [C]
 *   gradOutput  [n, H, W, C]
 *   gradInput   [n, H, W, C]; may be gradOutput, in the same layout
 *   gradAlpha   [C]
 *
 *   gradInput    = gradOutput where input > 0, else alpha[c] * gradOutput  (+ gradInput where `accumulate`)
 *   gradAlpha[c] = start + sum over n, y, x of (0 where input > 0, else input * gradOutput)
 *
 * Order: gradAlpha's sum starts at +0, or where `accumulateAlpha` at the value it holds, then n, y, x
 * ascending; every product and every sum is rounded to f32.
 */
import type { View } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface PreluBackwardSpec {
  readonly kind: 'preluBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
  /** Whether alpha's gradient is added to what gradAlpha holds. */
  readonly accumulateAlpha: boolean;
}

const f = Math.fround;

export const preluBackwardFamily: KernelFamily<PreluBackwardSpec> = {
  kind: 'preluBackward',
  args: ({ input, gradOutput, gradInput, accumulate, accumulateAlpha }) => [
    viewBuffer('input', 'in', input),
    f32Buffer('alpha', 'in', () => input.channels),
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    f32Buffer('gradAlpha', accumulateAlpha ? 'inout' : 'out', () => input.channels),
    { name: 'count', access: 'count' },
  ],
  bind({ input, gradOutput, gradInput, accumulate, accumulateAlpha }, { f32 }) {
    checkSameImages('preluBackward', { input, gradOutput, gradInput });
    return (inputBytes, alphaBytes, gradOutputBytes, gradInputBytes, gradAlphaBytes, count) => {
      const alpha = alphaBytes! >>> 2;
      const gradAlpha = gradAlphaBytes! >>> 2;
      if (!accumulateAlpha) f32.fill(0, gradAlpha, gradAlpha + input.channels);
      const views = [input, gradOutput, gradInput];
      forEachPixel(views, [inputBytes!, gradOutputBytes!, gradInputBytes!], count!, ([at, from, to]) => {
        for (let c = 0; c < input.channels; c++) {
          const x = f32[at! + c]!;
          const g = f32[from! + c]!;
          const value = x > 0 ? g : f(f32[alpha + c]! * g);
          f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
          f32[gradAlpha + c] = f(f32[gradAlpha + c]! + (x > 0 ? 0 : f(x * g)));
        }
      });
    };
  },
  flops: ({ input }, count) => 3 * count * elementsPerImage(input),
};
