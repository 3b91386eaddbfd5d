/**
 * Sums over all pixels, a channel at a time: the gradient of a convolution's or dense layer's bias.
 *
 *   values  [n, H, W, C]
 *   sums    [C]
 *
 *   sums[c] = start + sum over n, y, x of values[n, y, x, c]
 *
 * Order: the sum starts at +0, or where `accumulate` at the value sums holds, then n, y, x ascending,
 * every sum rounded to f32.
 */
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface ChannelSumSpec {
  readonly kind: 'channelSum';
  readonly view: View;
  /** Whether the result is added to what sums holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const channelSum: KernelFamily<ChannelSumSpec> = {
  kind: 'channelSum',
  args: ({ view, accumulate }) => [
    f32Buffer('values', 'in', (count) => viewSpan(view, count), viewLead(view)),
    f32Buffer('sums', accumulate ? 'inout' : 'out', () => view.channels),
    { name: 'count', access: 'count' },
  ],
  bind({ view, accumulate }, { f32 }) {
    const { height, width, channels } = view;
    return (valuesBytes, sumsBytes, count) => {
      const values = valuesBytes! >>> 2;
      const sums = sumsBytes! >>> 2;
      if (!accumulate) f32.fill(0, sums, sums + channels);
      for (let n = 0; n < count!; n++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const pixel = values + n * view.imageStride + y * view.rowStride + x * view.pixelStride;
            for (let c = 0; c < channels; c++) f32[sums + c] = f(f32[sums + c]! + f32[pixel + c]!);
          }
        }
      }
    };
  },
  flops: ({ view }, count) => count * view.height * view.width * view.channels,
};
