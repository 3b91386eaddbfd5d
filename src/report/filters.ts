/** A convolution's filters as pictures: what each looks for. */
import { ShapeError } from '../errors.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Grid, GridOptions } from './grid.ts';
import { mapRaster, type Raster } from './raster.ts';

export interface FilterOptions extends GridOptions {
  /** At most so many filters, the first ones. Default 64. */
  readonly count?: number;
}

/**
 * Weights [kh, kw, in, out] as a grid, a filter a cell. Filters over three channels are shown in colour, grey being 0;
 * of others the mean over their input channels, blue below 0, red above. Each filter is scaled by its own greatest
 * weight. Throws ShapeError for another shape.
 */
export function filterGrid(
  weight: { readonly shape: Shape; readonly data: Float32Array },
  options: FilterOptions = {},
): Grid {
  const { shape, data } = weight;
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  if (shape.length !== 4 || height * width * inputs * outputs !== data.length) {
    throw new ShapeError({
      operation: 'filterGrid',
      argument: 'weight',
      expected: 'weights [kh, kw, in, out] of a convolution',
      received: `${formatShape(shape)} with ${data.length} numbers`,
    });
  }
  const { count = 64, columns = 16, cellWidth = 40, ...rest } = options;
  const shown = Math.min(count, outputs);
  const colour = inputs === 3;
  const cells = Array.from({ length: shown }, (_, k) => {
    const at = (position: number, c: number) => data[(position * inputs + c) * outputs + k]!;
    return { raster: colour ? colourFilter(at, width, height) : meanFilter(at, width, height, inputs) };
  });
  const what = colour ? '' : `, means over ${inputs} input channels`;
  const subtitle = `${shown === outputs ? outputs : `${shown} of ${outputs}`} filters of ${height} x ${width}${what}`;
  return { columns, cellWidth, ...rest, subtitle, cells };
}

type WeightAt = (position: number, channel: number) => number;

function colourFilter(at: WeightAt, width: number, height: number): Raster {
  const values = Float64Array.from({ length: 3 * width * height }, (_, i) => at(Math.floor(i / 3), i % 3));
  const most = greatest(values);
  return {
    width,
    height,
    data: Uint8Array.from(values, (value) => Math.round(127.5 + (127.5 * value) / most)),
  };
}

function meanFilter(at: WeightAt, width: number, height: number, inputs: number): Raster {
  const values = Float64Array.from({ length: width * height }, (_, position) => {
    let sum = 0;
    for (let c = 0; c < inputs; c++) sum += at(position, c);
    return sum / inputs;
  });
  const most = greatest(values);
  const levels = Uint8Array.from(values, (value) => Math.round(127.5 + (127.5 * value) / most));
  return mapRaster(levels, width, height, BLUE_TO_RED);
}

/** The greatest absolute value; 1 of zeros. */
function greatest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

/** From blue over white to red, [256, 3]; the ends are those of Brewer's RdBu. */
const BLUE_TO_RED = Uint8Array.from({ length: 3 * 256 }, (_, i) => {
  const [level, channel] = [Math.floor(i / 3) / 127.5 - 1, i % 3];
  const end = level < 0 ? [33, 102, 172] : [178, 24, 43];
  const share = Math.abs(level);
  return Math.round(247 + share * (end[channel]! - 247));
});
