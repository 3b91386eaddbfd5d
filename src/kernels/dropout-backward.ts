/**
 * The gradient of dropout: the forward pass's mask, applied to the gradient.
 *
 *   gradOutput  [n, H, W, C]
 *   mask        [n, H*W*C], dense, as dropout-forward.ts wrote it
 *   gradInput   [n, H, W, C]; may be gradOutput, in the same layout
 *
 *   gradInput = gradOutput * mask       (+ gradInput where `accumulate`), each rounded to f32
 */
import type { View } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface DropoutBackwardSpec {
  readonly kind: 'dropoutBackward';
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const dropoutBackwardFamily: KernelFamily<DropoutBackwardSpec> = {
  kind: 'dropoutBackward',
  args: ({ gradOutput, gradInput, accumulate }) => [
    viewBuffer('gradOutput', 'in', gradOutput),
    f32Buffer('mask', 'in', (count) => count * elementsPerImage(gradOutput)),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind({ gradOutput, gradInput, accumulate }, { f32 }) {
    checkSameImages('dropoutBackward', { gradOutput, gradInput });
    const { channels } = gradOutput;
    return (gradOutputBytes, maskBytes, gradInputBytes, count) => {
      let mask = maskBytes! >>> 2;
      forEachPixel([gradOutput, gradInput], [gradOutputBytes!, gradInputBytes!], count!, ([from, to]) => {
        for (let c = 0; c < channels; c++) {
          const value = f(f32[from! + c]! * f32[mask + c]!);
          f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
        }
        mask += channels;
      });
    };
  },
  flops: ({ gradOutput, accumulate }, count) => count * elementsPerImage(gradOutput) * (accumulate ? 2 : 1),
};
