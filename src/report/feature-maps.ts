/**
 * Feature maps as the seed's notebook draws them: each map has its mean taken away and is divided by its standard
 * deviation, times 64, plus 128, clipped to 0..255, in viridis. A map without any deviation is dead: it is drawn as
 * such, where the notebook divides by zero.
 */
import { ShapeError } from '../errors.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Grid, GridCell, GridOptions } from './grid.ts';
import { mapRaster } from './raster.ts';

/** Levels 0..255 of one map; dead ones have no deviation, or numbers that are none. */
export interface FeatureMap {
  readonly levels: Uint8Array;
  readonly dead: boolean;
}

/** One map's values, any number of them, to levels. Mean and deviation in f64, levels cut off as the notebook does. */
export function normalizeFeatureMap(values: ArrayLike<number>): FeatureMap {
  const count = values.length;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < count; i++) sum += values[i]!;
  const mean = sum / count;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) * (values[i]! - mean);
  const deviation = Math.sqrt(squares / count);
  const levels = new Uint8Array(count);
  if (!(deviation > 0 && deviation < Infinity)) return { levels, dead: true };
  for (let i = 0; i < count; i++) {
    levels[i] = Math.min(255, Math.max(0, ((values[i]! - mean) / deviation) * 64 + 128));
  }
  return { levels, dead: false };
}

export interface FeatureMapOptions extends GridOptions {
  /** At most so many maps, the first ones. Default 24, as in the notebook. */
  readonly count?: number;
}

/**
 * A layer's activations on one image, [H, W, C], as a grid of 8 columns.
 * Throws ShapeError unless `values` holds them.
 */
export function featureMapGrid(
  activations: { readonly shape: Shape; readonly data: Float32Array },
  options: FeatureMapOptions = {},
): Grid {
  const { shape, data } = activations;
  const [height, width, channels] = shape as [number, number, number];
  if (shape.length !== 3 || height * width * channels !== data.length) {
    throw new ShapeError({
      operation: 'featureMapGrid',
      argument: 'activations',
      expected: 'feature maps [H, W, C] of one image',
      received: `${formatShape(shape)} with ${data.length} numbers`,
    });
  }
  const { count = 24, columns = 8, ...rest } = options;
  const shown = Math.min(count, channels);
  const maps = Array.from({ length: shown }, (_, c) =>
    normalizeFeatureMap(Float32Array.from({ length: height * width }, (_, i) => data[i * channels + c]!)),
  );
  const cells = maps.map(
    ({ levels, dead }): GridCell => (dead ? {} : { raster: mapRaster(levels, width, height) }),
  );
  const dead = maps.filter((map) => map.dead).length;
  const subtitle = [
    `${shown === channels ? channels : `${shown} of ${channels}`} maps of ${height} x ${width}`,
    ...(dead > 0 ? [`${dead} dead (crossed out)`] : []),
  ].join(', ');
  return { columns, ...rest, subtitle, cells };
}
