/**
 * The first pass of the Winograd kernels: tiles of a view, transformed to X = M x M^T, a channel at a time, and
 * divided element by element where `divisors` are given.
 *
 *   x  [size, size] pixels of one channel, `tileStep` pixels from tile to tile
 *   X  [t*t][tiles of a block][channels rounded up to 4], zeros in the lanes beyond the channels
 *
 * A pixel within the view's halo is read where it lies, one beyond it is +0. Order: winograd-steps.ts, down
 * the columns of x, then along the rows.
 */
import type { View } from '../tensor/view.ts';
import { wholeVectors } from './winograd-geometry.ts';
import { bindNested, type StepProgram } from './winograd-steps.ts';

/** Where the tiles of a view lie. */
export interface TileGrid {
  /** Tiles across an image. */
  readonly columns: number;
  /** Pixels from one tile to the next, down and across. */
  readonly tileStep: number;
  /** Rows and columns that the first tile begins above and to the left of the image. */
  readonly padding: { readonly top: number; readonly left: number };
  /** Tiles of a whole block. */
  readonly block: number;
}

/**
 * Returns the transform of `block` tiles from tile `first` on, counted row by row: from the image whose
 * origin is element `image`, to the scratch memory at element `to`.
 */
export function bindTiles(
  f32: Float32Array,
  view: View,
  program: StepProgram,
  grid: TileGrid,
  divisors?: readonly number[],
) {
  const { columns, tileStep, padding, block: most } = grid;
  const width = wholeVectors(view.channels);
  const nested = bindNested(program);
  const x = new Float32Array(program.inputs * program.inputs);
  const transformed = new Float32Array(program.outputs.length * program.outputs.length);
  return (image: number, to: number, first: number, block: number): void => {
    for (let b = 0; b < block; b++) {
      const top = Math.floor((first + b) / columns) * tileStep - padding.top;
      const left = ((first + b) % columns) * tileStep - padding.left;
      for (let c = 0; c < width; c++) {
        if (c < view.channels) {
          gather(f32, view, image + c, top, left, program.inputs, x);
          nested(x, transformed);
          divisors?.forEach((divisor, e) => {
            transformed[e] = transformed[e]! / divisor;
          });
        } else transformed.fill(0);
        for (let e = 0; e < transformed.length; e++) f32[to + (e * most + b) * width + c] = transformed[e]!;
      }
    }
  };
}

/** Reads size * size pixels from (top, left) on; `origin` is the element of pixel (0, 0) and the channel. */
function gather(
  f32: Float32Array,
  { height, width, rowStride, pixelStride, halo }: View,
  origin: number,
  top: number,
  left: number,
  size: number,
  tile: Float32Array,
): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const [y, x] = [top + i, left + j];
      const inside = y >= -halo && y < height + halo && x >= -halo && x < width + halo;
      tile[i * size + j] = inside ? f32[origin + y * rowStride + x * pixelStride]! : 0;
    }
  }
}
