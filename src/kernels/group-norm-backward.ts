/**
 * The gradient of group normalisation for its input.
 *
 *   input, gradOutput  [n, H, W, C]
 *   statistics         [n, 3, C], of group-norm-statistics.ts
 *   coefficients       [n, 2, C], of group-norm-gradients.ts: the means m of gamma dY and k of gamma dY * normalised input
 *   gradInput          [n, H, W, C]; may be gradOutput, in the same layout
 *
 *   normalised = (input - mean) * inverse
 *   gradInput  = scale * gradOutput - inverse * (m + normalised * k)      (+ gradInput where `accumulate`)
 *
 * every operation rounded to f32.
 */
import type { View } from '../tensor/view.ts';
import { PLANES } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface GroupNormBackwardSpec {
  readonly kind: 'groupNormBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const groupNormBackwardFamily: KernelFamily<GroupNormBackwardSpec> = {
  kind: 'groupNormBackward',
  args: ({ input, gradOutput, gradInput, accumulate }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('gradOutput', 'in', gradOutput),
    f32Buffer('statistics', 'in', (count) => count * PLANES * input.channels),
    f32Buffer('coefficients', 'in', (count) => count * 2 * input.channels),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind({ input, gradOutput, gradInput, accumulate }, { f32 }) {
    checkSameImages('groupNormBackward', { input, gradOutput, gradInput });
    const { channels } = input;
    const views = [input, gradOutput, gradInput];
    return (inputBytes, gradOutputBytes, statisticsBytes, coefficientsBytes, gradInputBytes, count) => {
      const origins = [inputBytes!, gradOutputBytes!, gradInputBytes!];
      for (let n = 0; n < count!; n++) {
        const mean = (statisticsBytes! >>> 2) + n * PLANES * channels;
        const [inverse, scale] = [mean + channels, mean + 2 * channels];
        const meanGradient = (coefficientsBytes! >>> 2) + n * 2 * channels;
        const meanProduct = meanGradient + channels;
        const images = origins.map((origin, i) => origin + 4 * n * views[i]!.imageStride);
        forEachPixel(views, images, 1, ([x, g, to]) => {
          for (let c = 0; c < channels; c++) {
            const normalised = f(f(f32[x! + c]! - f32[mean + c]!) * f32[inverse + c]!);
            const shared = f(f32[meanGradient + c]! + f(normalised * f32[meanProduct + c]!));
            const own = f(f32[scale + c]! * f32[g! + c]!);
            const value = f(own - f(f32[inverse + c]! * shared));
            f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
          }
        });
      }
    };
  },
  flops: ({ input, accumulate }, count) => (accumulate ? 8 : 7) * count * elementsPerImage(input),
};
