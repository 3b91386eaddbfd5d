/**
 * Writes +0 into the halo of a view, on all four sides; the images themselves stay.
 *
 *   view  [n, H, W, C] with `halo` rows and columns around each image
 *
 * Of a slice of channels only the slice's own channels are written.
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { viewBuffer } from './pixels.ts';

export interface ClearHaloSpec {
  readonly kind: 'clearHalo';
  readonly view: View;
}

export const clearHaloFamily: KernelFamily<ClearHaloSpec> = {
  kind: 'clearHalo',
  args: ({ view }) => [viewBuffer('view', 'inout', view), { name: 'count', access: 'count' }],
  bind({ view }, { f32 }) {
    const { height, width, channels, pixelStride, rowStride, imageStride, halo } = view;
    const clearPixels = (row: number, from: number, to: number) => {
      for (let x = from; x < to; x++) {
        const pixel = row + x * pixelStride;
        f32.fill(0, pixel, pixel + channels);
      }
    };
    return (viewBytes, count) => {
      for (let n = 0; n < count!; n++) {
        for (let y = -halo; y < height + halo; y++) {
          const row = (viewBytes! >>> 2) + n * imageStride + y * rowStride;
          const inside = y >= 0 && y < height;
          clearPixels(row, -halo, inside ? 0 : width + halo);
          if (inside) clearPixels(row, width, width + halo);
        }
      }
    };
  },
};
