/**
 * Multiplies each channel of each sample, or each sample, by a number of its own: dropout of whole channels or samples,
 * forward and, on gradients, backward.
 *
 *   input   [n, H, W, C]
 *   mask    [n, C], or [n] where `per` is 'sample'
 *   output  [n, H, W, C]; may be the input, in the same layout
 *
 *   output = input * mask       (+ output where `accumulate`), each rounded to f32
 */
import type { View } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface ScaleByMaskSpec {
  readonly kind: 'scaleByMask';
  readonly per: 'channel' | 'sample';
  readonly input: View;
  readonly output: View;
  /** Whether the product is added to what the output holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

/** Numbers of a sample's mask. */
export function maskLength({ per, input }: Pick<ScaleByMaskSpec, 'per' | 'input'>): number {
  return per === 'channel' ? input.channels : 1;
}

export const scaleByMaskFamily: KernelFamily<ScaleByMaskSpec> = {
  kind: 'scaleByMask',
  args: (spec) => [
    viewBuffer('input', 'in', spec.input),
    f32Buffer('mask', 'in', (count) => count * maskLength(spec)),
    viewBuffer('output', spec.accumulate ? 'inout' : 'out', spec.output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    const { per, input, output, accumulate } = spec;
    checkSameImages('scaleByMask', { input, output });
    const { channels } = input;
    return (inputBytes, maskBytes, outputBytes, count) => {
      for (let n = 0; n < count!; n++) {
        const mask = (maskBytes! >>> 2) + n * maskLength(spec);
        const images = [inputBytes! + 4 * n * input.imageStride, outputBytes! + 4 * n * output.imageStride];
        forEachPixel([input, output], images, 1, ([from, to]) => {
          for (let c = 0; c < channels; c++) {
            const value = f(f32[from! + c]! * f32[per === 'channel' ? mask + c : mask]!);
            f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
          }
        });
      }
    };
  },
  flops: ({ input, accumulate }, count) => (accumulate ? 2 : 1) * count * elementsPerImage(input),
};
