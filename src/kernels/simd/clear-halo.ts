/** The SIMD twin of clear-halo.ts: one pointer walks the rows of each image, the halo's included. */
import { type ClearHaloSpec, clearHaloFamily } from '../clear-halo.ts';
import { repeat } from './micro-loops.ts';
import { emitRun, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const clearHaloTwin: SimdTwin<ClearHaloSpec> = {
  kind: 'clearHalo',
  emit(spec) {
    const b = twinFunction(clearHaloFamily, spec);
    const { height, width, channels, pixelStride, rowStride, imageStride, halo } = spec.view;
    if (halo === 0) return b;
    const pointer = b.param('view');
    const zero = b.local('v128', 'zero');
    b.advance(pointer, -4 * halo * (rowStride + pixelStride));

    const clearRun = (elements: number) =>
      emitRun(b, elements, [pointer], (parts) => {
        for (const part of parts) storePart(b, pointer, part, zero);
      });
    /** Clears pixels from the pointer on, which then lies behind them. */
    const clearPixels = (pixels: number) => {
      if (pixelStride === channels) {
        clearRun(pixels * channels);
        return;
      }
      repeat(b, pixels, () => {
        clearRun(channels);
        b.advance(pointer, 4 * (pixelStride - channels));
      });
    };
    const outerWidth = width + 2 * halo;
    const nextRow = () => b.advance(pointer, 4 * (rowStride - outerWidth * pixelStride));
    const haloRow = () => {
      clearPixels(outerWidth);
      nextRow();
    };

    repeat(b, b.param('count'), () => {
      repeat(b, halo, haloRow);
      repeat(b, height, () => {
        clearPixels(halo);
        b.advance(pointer, 4 * width * pixelStride);
        clearPixels(halo);
        nextRow();
      });
      repeat(b, halo, haloRow);
      b.advance(pointer, 4 * (imageStride - (height + 2 * halo) * rowStride));
    });
    return b;
  },
};
