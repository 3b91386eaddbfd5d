/** Pictures of pixels: RGB bytes [height, width, 3], and what makes them of images and of numbers. */
import { resizeInto } from '../data/images/resize.ts';
import { DataError, ShapeError } from '../errors.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { VIRIDIS_HEX } from './viridis-table.ts';

export interface Raster {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], row-major. */
  readonly data: Uint8Array;
}

/**
 * An image [H, W, C] as a picture. Bytes stay as they are; floats are stretched from their least to their greatest
 * value. One channel is grey, three are RGB, of four the last is left out, of others the first is shown in grey.
 * Throws ShapeError for another shape, DataError for NaN or infinities.
 */
export function imageRaster(pixels: Uint8Array | Float32Array, shape: Shape): Raster {
  const [height, width, channels] = shape as [number, number, number];
  if (shape.length !== 3 || height * width * channels !== pixels.length) {
    throw new ShapeError({
      operation: 'imageRaster',
      argument: 'pixels',
      expected: 'an image [H, W, C]',
      received: `${formatShape(shape)} with ${pixels.length} numbers`,
    });
  }
  const bytes = pixels instanceof Uint8Array ? pixels : stretched(pixels);
  const colour = channels === 3 || channels === 4;
  const data = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data[3 * i + c] = bytes[i * channels + (colour ? c : 0)]!;
  }
  return { width, height, data };
}

/** Floats as bytes, least to greatest; of equal ones the middle. */
function stretched(values: Float32Array): Uint8Array {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) {
      throw new DataError({
        operation: 'imageRaster',
        argument: 'pixels',
        expected: 'finite numbers',
        received: String(value),
      });
    }
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const span = most - least;
  return Uint8Array.from(values, (value) => (span === 0 ? 128 : Math.round((255 * (value - least)) / span)));
}

/**
 * A picture at most `width` wide, larger ones made smaller: a page of photographs would otherwise hold every pixel of
 * them to show a thumbnail.
 */
export function shrunkRaster(raster: Raster, width: number): Raster {
  if (raster.width <= width) return raster;
  const height = Math.max(1, Math.round((raster.height * width) / raster.width));
  const data = new Uint8Array(3 * width * height);
  resizeInto({ ...raster, channels: 3 }, height, width, 'stretch', data);
  return { width, height, data };
}

/** The colour map viridis: 256 x RGB. */
export const VIRIDIS = Uint8Array.from({ length: 3 * 256 }, (_, i) =>
  Number.parseInt(VIRIDIS_HEX.slice(2 * i, 2 * i + 2), 16),
);

/** Levels 0..255 [height, width] in the colours of a map [256, 3]. */
export function mapRaster(levels: Uint8Array, width: number, height: number, map = VIRIDIS): Raster {
  const data = new Uint8Array(3 * levels.length);
  levels.forEach((level, i) => {
    data.set(map.subarray(3 * level, 3 * level + 3), 3 * i);
  });
  return { width, height, data };
}
