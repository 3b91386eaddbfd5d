/**
 * The gradient of average pooling: each output's gradient is spread evenly over its window.
 *
 *   gradOutput [n, Ho, Wo, C]
 *   gradInput  [n, H, W, C]
 *
 *   gradInput[n, y, x, c] = start + sum over the windows that hold (y, x) of gradOutput[n, oy, ox, c] / taps
 *
 * with `taps` as in average-pool-forward.ts. Order: each quotient is rounded to f32; the sum starts at +0,
 * or where `accumulate` at the value gradInput holds, then oy, ox ascending, every sum rounded to f32.
 * Pixels of no window become +0 (or stay as they are).
 */
import type { PoolWindow } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';
import { countedTaps } from './average-pool-forward.ts';
import type { Heap, KernelFamily } from './kernel.ts';
import { clearPixels } from './max-pool-backward.ts';
import { poolTaps } from './max-pool-forward.ts';
import { pixelOffset, viewBuffer } from './pixels.ts';
import { checkPoolViews, type WindowTaps, windowsOver } from './pool-windows.ts';

export interface AveragePoolBackwardSpec {
  readonly kind: 'averagePoolBackward';
  readonly gradOutput: View;
  readonly gradInput: View;
  readonly window: PoolWindow;
  /** Whether taps outside the image count as zeros. */
  readonly countPadding: boolean;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const averagePoolBackwardFamily: KernelFamily<AveragePoolBackwardSpec> = {
  kind: 'averagePoolBackward',
  args: ({ gradOutput, gradInput, accumulate }) => [
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind(spec, heap) {
    checkAveragePoolBackward(spec);
    const { gradOutput, gradInput, window, countPadding, accumulate } = spec;
    const windows = windowsOver(gradInput, window);
    return (gradOutputBytes, gradInputBytes, count) => {
      if (!accumulate) clearPixels(heap, gradInput, gradInputBytes!, count!);
      for (let n = 0; n < count!; n++) {
        const image = (gradInputBytes! >>> 2) + n * gradInput.imageStride;
        for (const taps of windows) {
          const from = (gradOutputBytes! >>> 2) + pixelOffset(gradOutput, n, taps.oy, taps.ox);
          spread(heap, gradInput, from, image, taps, countedTaps(window, taps, countPadding));
        }
      }
    };
  },
  flops: ({ gradInput, window }, count) => count * poolTaps(gradInput, window),
};

/** Throws ShapeError unless the views fit the window. */
export function checkAveragePoolBackward({ gradOutput, gradInput, window }: AveragePoolBackwardSpec): void {
  checkPoolViews('averagePoolBackward', window, { gradInput }, { gradOutput });
}

/** Adds one output pixel's share to all taps of its window; offsets in elements. */
function spread(
  { f32 }: Heap,
  view: View,
  from: number,
  image: number,
  taps: WindowTaps,
  divisor: number,
): void {
  for (let c = 0; c < view.channels; c++) {
    const share = f(f32[from + c]! / divisor);
    for (let y = taps.top; y < taps.bottom; y++) {
      for (let x = taps.left; x < taps.right; x++) {
        const to = image + pixelOffset(view, 0, y, x) + c;
        f32[to] = f(f32[to]! + share);
      }
    }
  }
}
