/**
 * Mean and spread of each channel of each sample, in f64: what the statistics of a batch are made of.
 *
 *   input    [n, H, W, C]
 *   moments  f64 [n, 2, C]: the mean over the sample's pixels, and the sum of squared distances from it
 *
 * With P = H W, first the channel's value at pixel (0, 0), d = x - first, everything in f64:
 *
 *   s = sum of d,  q = sum of d * d          from +0, in the order y, x
 *   mean   = first + s / P
 *   spread = q - s * s / P, and 0 where that is negative
 *
 * Distances from a value of the channel itself keep the difference harmless where the mean is far from 0.
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { elementsPerImage, pixelOffset, viewBuffer } from './pixels.ts';

export interface ChannelMomentsSpec {
  readonly kind: 'channelMoments';
  readonly input: View;
}

export const channelMomentsFamily: KernelFamily<ChannelMomentsSpec> = {
  kind: 'channelMoments',
  args: ({ input }) => [
    viewBuffer('input', 'in', input),
    { name: 'moments', access: 'out', type: 'f64', length: (count) => 2 * count * input.channels },
    { name: 'count', access: 'count' },
  ],
  bind({ input }, { f32, f64 }) {
    const { height, width, channels } = input;
    const pixels = height * width;
    return (inputBytes, momentsBytes, count) => {
      for (let n = 0; n < count!; n++) {
        const image = (inputBytes! >>> 2) + n * input.imageStride;
        const moments = (momentsBytes! >>> 3) + 2 * n * channels;
        f64.fill(0, moments, moments + 2 * channels);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const at = image + pixelOffset(input, 0, y, x);
            for (let c = 0; c < channels; c++) {
              const distance = f32[at + c]! - f32[image + c]!;
              f64[moments + c]! += distance;
              f64[moments + channels + c]! += distance * distance;
            }
          }
        }
        for (let c = 0; c < channels; c++) {
          const sum = f64[moments + c]!;
          const spread = f64[moments + channels + c]! - (sum * sum) / pixels;
          f64[moments + c] = f32[image + c]! + sum / pixels;
          f64[moments + channels + c] = spread < 0 ? 0 : spread;
        }
      }
    };
  },
  flops: ({ input }, count) => 4 * count * elementsPerImage(input),
};
