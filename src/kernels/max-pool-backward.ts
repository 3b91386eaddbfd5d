/**
 * The gradient of max pooling: each output's gradient goes to the first maximum of its window, by the rule
 * of max-pool-forward.ts.
 *
 *   input      [n, H, W, C], as the forward pass had it; the halo is not read
 *   gradOutput [n, Ho, Wo, C]
 *   gradInput  [n, H, W, C]
 *
 *   gradInput[n, y, x, c] = start + sum of gradOutput[n, oy, ox, c] over the windows whose maximum (y, x) is
 *
 * Order: the sum starts at +0, or where `accumulate` at the value gradInput holds, then oy, ox ascending,
 * every sum rounded to f32. Pixels of no window become +0 (or stay as they are).
 */
import type { PoolWindow } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';
import type { Heap, KernelFamily } from './kernel.ts';
import { firstMaximum, pixelIndexOffset, poolTaps } from './max-pool-forward.ts';
import { forEachPixel, pixelOffset, viewBuffer } from './pixels.ts';
import { checkPoolViews, type WindowTaps, windowsOver } from './pool-windows.ts';

export interface MaxPoolBackwardSpec {
  readonly kind: 'maxPoolBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  readonly window: PoolWindow;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const maxPoolBackwardFamily: KernelFamily<MaxPoolBackwardSpec> = {
  kind: 'maxPoolBackward',
  args: ({ input, gradOutput, gradInput, accumulate }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind(spec, heap) {
    checkMaxPoolBackward(spec);
    const windows = windowsOver(spec.input, spec.window);
    return (inputBytes, gradOutputBytes, gradInputBytes, count) => {
      if (!spec.accumulate) clearPixels(heap, spec.gradInput, gradInputBytes!, count!);
      for (let n = 0; n < count!; n++) {
        const image = (inputBytes! >>> 2) + n * spec.input.imageStride;
        const gradImage = (gradInputBytes! >>> 2) + n * spec.gradInput.imageStride;
        for (const taps of windows) {
          const from = (gradOutputBytes! >>> 2) + pixelOffset(spec.gradOutput, n, taps.oy, taps.ox);
          route(spec, heap, image, from, gradImage, taps);
        }
      }
    };
  },
  flops: ({ input, window }, count) => count * poolTaps(input, window),
};

/** Throws ShapeError unless the views fit the window. */
export function checkMaxPoolBackward({ input, gradOutput, gradInput, window }: MaxPoolBackwardSpec): void {
  checkPoolViews('maxPoolBackward', window, { input, gradInput }, { gradOutput });
}

/** Writes +0 into every pixel of `count` images. */
export function clearPixels({ f32 }: Heap, view: View, originBytes: number, count: number): void {
  forEachPixel([view], [originBytes], count, ([at]) => {
    f32.fill(0, at, at! + view.channels);
  });
}

/** Adds the gradients of one output pixel to the maxima of its window; offsets in elements. */
function route(
  { input, gradInput }: MaxPoolBackwardSpec,
  { f32 }: Heap,
  image: number,
  from: number,
  gradImage: number,
  taps: WindowTaps,
): void {
  for (let c = 0; c < input.channels; c++) {
    const winner = firstMaximum(f32, image + c, input, taps);
    const to = gradImage + pixelIndexOffset(gradInput, winner) + c;
    f32[to] = f(f32[to]! + f32[from + c]!);
  }
}
