/**
 * Max pooling: the largest value of each window, a channel at a time (the seed's section 2.2).
 *
 *   input   [n, H, W, C]; the halo is not read
 *   output  [n, Ho, Wo, C]
 *
 *   output[n, oy, ox, c] = max over the window's taps inside the image of input[n, y, x, c]
 *
 * Of equal values (+0 and -0 are equal) the first in row-major order counts. NaN beats every number: the
 * output of a window that holds one is NaN, and the first NaN is its maximum.
 */
import { type PoolWindow, poolOutputSize } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { pixelOffset, viewBuffer } from './pixels.ts';
import { checkPoolViews, type WindowTaps, windowsOver } from './pool-windows.ts';

export interface MaxPoolForwardSpec {
  readonly kind: 'maxPoolForward';
  readonly input: View;
  readonly output: View;
  readonly window: PoolWindow;
}

export const maxPoolForwardFamily: KernelFamily<MaxPoolForwardSpec> = {
  kind: 'maxPoolForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkMaxPoolForward(spec);
    const { input, output, window } = spec;
    const windows = windowsOver(input, window);
    return (inputBytes, outputBytes, count) => {
      for (let n = 0; n < count!; n++) {
        for (const taps of windows) {
          const to = (outputBytes! >>> 2) + pixelOffset(output, n, taps.oy, taps.ox);
          for (let c = 0; c < input.channels; c++) {
            const image = (inputBytes! >>> 2) + n * input.imageStride + c;
            const winner = firstMaximum(f32, image, input, taps);
            f32[to + c] = f32[image + pixelIndexOffset(input, winner)]!;
          }
        }
      }
    };
  },
  flops: ({ input, window }, count) => count * poolTaps(input, window),
};

/** Throws ShapeError unless the views fit the window. */
export function checkMaxPoolForward({ input, output, window }: MaxPoolForwardSpec): void {
  checkPoolViews('maxPoolForward', window, { input }, { output });
}

/**
 * The pixel y * W + x of a window's first maximum in one channel; `image` is the element of that channel in
 * the image's first pixel.
 */
export function firstMaximum(f32: Float32Array, image: number, view: View, taps: WindowTaps): number {
  let winner = taps.top * view.width + taps.left;
  let best = f32[image + pixelOffset(view, 0, taps.top, taps.left)]!;
  for (let y = taps.top; y < taps.bottom; y++) {
    for (let x = taps.left; x < taps.right; x++) {
      const value = f32[image + pixelOffset(view, 0, y, x)]!;
      if (value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
        winner = y * view.width + x;
        best = value;
      }
    }
  }
  return winner;
}

/** Elements from an image's origin to channel 0 of pixel y * W + x. */
export function pixelIndexOffset(view: View, pixel: number): number {
  const y = Math.floor(pixel / view.width);
  return pixelOffset(view, 0, y, pixel - y * view.width);
}

/** Taps of all windows over one image and all its channels, those outside the image included. */
export function poolTaps(input: View, window: PoolWindow): number {
  const [outHeight, outWidth] = poolOutputSize(window, input.height, input.width);
  return outHeight * outWidth * input.channels * window.height * window.width;
}
