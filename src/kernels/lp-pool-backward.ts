/**
 * The gradient of Lp pooling.
 *
 *   input      [n, H, W, C], as the forward pass had it; the halo is not read
 *   gradOutput [n, Ho, Wo, C]
 *   gradInput  [n, H, W, C]
 *
 *   gradInput[n, y, x, c] = start + sum over the windows that hold (y, x) of
 *     gradOutput[n, oy, ox, c] sign(x) (|x| / m)^(p-1) s^((1-p)/p)
 *
 * with m the window's largest magnitude and s its sum of powers (lp-pool-forward.ts); 0 for x = 0, so also where m is 0.
 * Order: each summand in f64, rounded to f32 once; the sum starts at +0, or where `accumulate` at the value gradInput
 * holds, then oy, ox ascending, every sum rounded to f32. Pixels of no window become +0 (or stay as they are).
 */
import type { PoolWindow } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';
import type { Heap, KernelFamily } from './kernel.ts';
import { checkNorm, power, windowNorm } from './lp-pool-forward.ts';
import { clearPixels } from './max-pool-backward.ts';
import { poolTaps } from './max-pool-forward.ts';
import { pixelOffset, viewBuffer } from './pixels.ts';
import { checkPoolViews, type WindowTaps, windowsOver } from './pool-windows.ts';

export interface LpPoolBackwardSpec {
  readonly kind: 'lpPoolBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  readonly window: PoolWindow;
  /** The norm, at least 1. */
  readonly p: number;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const lpPoolBackwardFamily: KernelFamily<LpPoolBackwardSpec> = {
  kind: 'lpPoolBackward',
  args: ({ input, gradOutput, gradInput, accumulate }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind(spec, heap) {
    const { input, gradOutput, gradInput, window, p, accumulate } = spec;
    checkPoolViews('lpPoolBackward', window, { input, gradInput }, { gradOutput });
    checkNorm('lpPoolBackward', p);
    const windows = windowsOver(input, window);
    return (inputBytes, gradOutputBytes, gradInputBytes, count) => {
      if (!accumulate) clearPixels(heap, gradInput, gradInputBytes!, count!);
      for (let n = 0; n < count!; n++) {
        const image = (inputBytes! >>> 2) + n * input.imageStride;
        const gradImage = (gradInputBytes! >>> 2) + n * gradInput.imageStride;
        for (const taps of windows) {
          const from = (gradOutputBytes! >>> 2) + pixelOffset(gradOutput, n, taps.oy, taps.ox);
          spread(spec, heap, image, from, gradImage, taps);
        }
      }
    };
  },
  // A power is worth some tens of operations.
  flops: ({ input, window }, count) => 60 * count * poolTaps(input, window),
};

/** Adds one output pixel's gradients to the taps of its window; offsets in elements. */
function spread(
  { input, gradInput, p }: LpPoolBackwardSpec,
  { f32 }: Heap,
  image: number,
  from: number,
  gradImage: number,
  taps: WindowTaps,
): void {
  for (let c = 0; c < input.channels; c++) {
    const { largest, sum } = windowNorm(f32, image + c, input, taps, p);
    if (largest === 0) continue;
    const scale = f32[from + c]! * (p === 1 ? 1 : 1 / power(power(sum, 1 / p), p - 1));
    for (let y = taps.top; y < taps.bottom; y++) {
      for (let x = taps.left; x < taps.right; x++) {
        const value = f32[image + pixelOffset(input, 0, y, x) + c]!;
        if (value === 0) continue;
        const share = p === 1 ? 1 : power(Math.abs(value) / largest, p - 1);
        const to = gradImage + pixelOffset(gradInput, 0, y, x) + c;
        f32[to] = f(f32[to]! + f(scale * (value < 0 ? -share : share)));
      }
    }
  }
}
