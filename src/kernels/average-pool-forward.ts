/**
 * Average pooling: the mean of each window, a channel at a time.
 *
 *   input   [n, H, W, C]; the halo is not read
 *   output  [n, Ho, Wo, C]
 *
 *   output[n, oy, ox, c] = (sum over the window's taps inside the image of input[n, y, x, c]) / taps
 *
 * `taps` is the number of taps inside the image (as in Keras), or the window's whole size where
 * `countPadding`. Order: the sum starts at +0, then y, x ascending, every sum rounded to f32; the quotient
 * is rounded to f32.
 */
import type { PoolWindow } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { poolTaps } from './max-pool-forward.ts';
import { pixelOffset, viewBuffer } from './pixels.ts';
import { checkPoolViews, type WindowTaps, windowsOver } from './pool-windows.ts';

export interface AveragePoolForwardSpec {
  readonly kind: 'averagePoolForward';
  readonly input: View;
  readonly output: View;
  readonly window: PoolWindow;
  /** Whether taps outside the image count as zeros. */
  readonly countPadding: boolean;
}

const f = Math.fround;

export const averagePoolForwardFamily: KernelFamily<AveragePoolForwardSpec> = {
  kind: 'averagePoolForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkAveragePoolForward(spec);
    const { input, output, window, countPadding } = spec;
    const windows = windowsOver(input, window);
    return (inputBytes, outputBytes, count) => {
      for (let n = 0; n < count!; n++) {
        const image = (inputBytes! >>> 2) + n * input.imageStride;
        for (const taps of windows) {
          const to = (outputBytes! >>> 2) + pixelOffset(output, n, taps.oy, taps.ox);
          const divisor = countedTaps(window, taps, countPadding);
          for (let c = 0; c < input.channels; c++) {
            f32[to + c] = f(sumOfTaps(f32, image + c, input, taps) / divisor);
          }
        }
      }
    };
  },
  flops: ({ input, window }, count) => count * poolTaps(input, window),
};

/** Throws ShapeError unless the views fit the window. */
export function checkAveragePoolForward({ input, output, window }: AveragePoolForwardSpec): void {
  checkPoolViews('averagePoolForward', window, { input }, { output });
}

/** What a window's sum is divided by. */
export function countedTaps(window: PoolWindow, taps: WindowTaps, countPadding: boolean): number {
  if (countPadding) return window.height * window.width;
  return (taps.bottom - taps.top) * (taps.right - taps.left);
}

function sumOfTaps(f32: Float32Array, image: number, view: View, taps: WindowTaps): number {
  let sum = 0;
  for (let y = taps.top; y < taps.bottom; y++) {
    for (let x = taps.left; x < taps.right; x++) sum = f(sum + f32[image + pixelOffset(view, 0, y, x)]!);
  }
  return sum;
}
