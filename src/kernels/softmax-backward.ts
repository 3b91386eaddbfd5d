/**
 * The gradient of softmax over the channels of each pixel.
 *
 *   output      [n, H, W, C]: the forward pass's result p
 *   gradOutput  [n, H, W, C]
 *   gradInput   [n, H, W, C]; may be gradOutput or output, in the same layout
 *
 *   gradInput[c] = p[c] * (gradOutput[c] - sum over k of gradOutput[k] * p[k])   (+ gradInput[c] where `accumulate`)
 *
 * Computed in f64, the sum in the order of channels from +0; the result is rounded to f32, and again after
 * the addition.
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface SoftmaxBackwardSpec {
  readonly kind: 'softmaxBackward';
  readonly output: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const softmaxBackwardFamily: KernelFamily<SoftmaxBackwardSpec> = {
  kind: 'softmaxBackward',
  args: ({ output, gradOutput, gradInput, accumulate }) => [
    viewBuffer('output', 'in', output),
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind({ output, gradOutput, gradInput, accumulate }, { f32 }) {
    checkSameImages('softmaxBackward', { output, gradOutput, gradInput });
    const { channels } = output;
    return (outputBytes, gradOutputBytes, gradInputBytes, count) => {
      const views = [output, gradOutput, gradInput];
      forEachPixel(views, [outputBytes!, gradOutputBytes!, gradInputBytes!], count!, ([at, from, to]) => {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += f32[from! + c]! * f32[at! + c]!;
        for (let c = 0; c < channels; c++) {
          const value = f(f32[at! + c]! * (f32[from! + c]! - sum));
          f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
        }
      });
    };
  },
  flops: ({ output }, count) => 4 * count * elementsPerImage(output),
};
