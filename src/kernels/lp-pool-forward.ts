/**
 * Lp pooling: the p-norm of each window, a channel at a time (Sermanet, Chintala, LeCun, "Convolutional neural networks
 * applied to house numbers digit classification", 2012, section 2.2). p = 1 sums magnitudes, p = 2 is the Euclidean
 * norm, and p towards infinity the maximum.
 *
 *   input   [n, H, W, C]; the halo is not read
 *   output  [n, Ho, Wo, C]
 *
 *   output[n, oy, ox, c] = m (sum over the window's taps inside the image of (|x| / m)^p)^(1/p), m the largest |x|
 *
 * Everything in f64, the sum from +0 over y, x ascending, the result rounded to f32 once; 0 where m is 0. Dividing by m
 * keeps powers in range whatever p. NaN where a tap is; infinite taps give NaN, too, being divided by themselves.
 */
import { ConfigError, formatValue } from '../errors.ts';
import { pow } from '../math/pow.ts';
import type { PoolWindow } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { poolTaps } from './max-pool-forward.ts';
import { pixelOffset, viewBuffer } from './pixels.ts';
import { checkPoolViews, type WindowTaps, windowsOver } from './pool-windows.ts';

export interface LpPoolForwardSpec {
  readonly kind: 'lpPoolForward';
  readonly input: View;
  readonly output: View;
  readonly window: PoolWindow;
  /** The norm, at least 1. */
  readonly p: number;
}

/** A window's largest magnitude, and the sum of powers of the others' shares of it. */
export interface WindowNorm {
  readonly largest: number;
  readonly sum: number;
}

export const lpPoolForwardFamily: KernelFamily<LpPoolForwardSpec> = {
  kind: 'lpPoolForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind({ input, output, window, p }, { f32 }) {
    checkPoolViews('lpPoolForward', window, { input }, { output });
    checkNorm('lpPoolForward', p);
    const windows = windowsOver(input, window);
    return (inputBytes, outputBytes, count) => {
      for (let n = 0; n < count!; n++) {
        const image = (inputBytes! >>> 2) + n * input.imageStride;
        for (const taps of windows) {
          const to = (outputBytes! >>> 2) + pixelOffset(output, n, taps.oy, taps.ox);
          for (let c = 0; c < input.channels; c++) {
            const { largest, sum } = windowNorm(f32, image + c, input, taps, p);
            f32[to + c] = largest * power(sum, 1 / p);
          }
        }
      }
    };
  },
  // A power is worth some tens of operations.
  flops: ({ input, window }, count) => 30 * count * poolTaps(input, window),
};

/** Throws ConfigError for what is no norm. */
export function checkNorm(operation: string, p: number): void {
  if (Number.isFinite(p) && p >= 1) return;
  const received = formatValue(p);
  throw new ConfigError({ operation, argument: 'p', expected: 'a number from 1 on', received });
}

/** x^p for x >= 0: a square and its root by the exact operations. */
export function power(x: number, p: number): number {
  if (p === 1) return x;
  if (p === 2) return x * x;
  return p === 0.5 ? Math.sqrt(x) : pow(x, p);
}

/** `image` is the element of the channel in the image's first pixel. A largest magnitude of 0 has the sum 0. */
export function windowNorm(
  f32: Float32Array,
  image: number,
  view: View,
  { top, bottom, left, right }: WindowTaps,
  p: number,
): WindowNorm {
  let largest = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const size = Math.abs(f32[image + pixelOffset(view, 0, y, x)]!);
      if (size > largest || Number.isNaN(size)) largest = size;
    }
  }
  let sum = 0;
  if (largest === 0) return { largest, sum };
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      sum += power(Math.abs(f32[image + pixelOffset(view, 0, y, x)]!) / largest, p);
    }
  }
  return { largest, sum };
}
