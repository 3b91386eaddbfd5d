/**
 * Small images inside larger ones, on plain NHWC arrays: padding and inserting zeros on the way in, cropping
 * and subsampling on the way out. Pixel (y, x) of the small image lies at (top + y*stepY, left + x*stepX)
 * of the large one. Weights [kh, kw, C, K] are one image of C*K channels.
 */
import type { ConvGeometry } from '../../src/tensor/convolution.ts';

/** [images, height, width, channels] of the small image. */
export type ImageShape = readonly [number, number, number, number];

/** Where it lies in the large one. */
export interface Placement {
  /** Extents of the large image. */
  readonly height: number;
  readonly width: number;
  readonly top?: number;
  readonly left?: number;
  readonly stepY?: number;
  readonly stepX?: number;
}

/** The large image: the small one's pixels, zeros elsewhere. */
export function embed(small: Float32Array, shape: ImageShape, placement: Placement): Float32Array {
  const large = new Float32Array(shape[0] * placement.height * placement.width * shape[3]);
  forEachPlace(shape, placement, (from, to) => {
    large[to] = small[from]!;
  });
  return large;
}

/** The small image out of the large one. */
export function extract(large: Float32Array, shape: ImageShape, placement: Placement): Float32Array {
  const small = new Float32Array(shape[0] * shape[1] * shape[2] * shape[3]);
  forEachPlace(shape, placement, (to, from) => {
    small[to] = large[from]!;
  });
  return small;
}

/** Channels `first` to `first + count - 1` of arrays whose last axis has `channels`. */
export function sliceChannels(
  values: Float32Array,
  channels: number,
  first: number,
  count: number,
): Float32Array {
  return values.filter((_, i) => i % channels >= first && i % channels < first + count);
}

/** [outer, rows, columns, inner] to [outer, columns, rows, inner]. */
export function exchangeAxes(
  values: Float32Array,
  rows: number,
  columns: number,
  inner: number,
): Float32Array {
  return values.map((_, i) => {
    const row = Math.floor(i / inner) % rows;
    const column = Math.floor(i / inner / rows) % columns;
    const outer = Math.floor(i / inner / rows / columns);
    return values[((outer * rows + row) * columns + column) * inner + (i % inner)]!;
  });
}

/** HWIO weights rotated by 180 degrees and, within each group, with input and output channels exchanged. */
export function flipAndExchange<A extends Float32Array | Float64Array>(weight: A, g: ConvGeometry): A {
  const [C, K] = [g.inChannels / g.groups, g.outChannels / g.groups];
  const taps = g.kernelHeight * g.kernelWidth;
  return weight.map((_, i) => {
    const channel = i % g.inChannels;
    const k = Math.floor(channel / C) * K + (Math.floor(i / g.inChannels) % K);
    const tap = taps - 1 - Math.floor(i / g.inChannels / K);
    return weight[(tap * C + (channel % C)) * g.outChannels + k]!;
  }) as A;
}

/** Taps in reverse order, [taps, inner, K] kept inside: a rotation by 180 degrees. */
export function rotateTaps<A extends Float32Array | Float64Array>(weight: A, taps: number): A {
  const length = weight.length / taps;
  return weight.map((_, i) => weight[(taps - 1 - Math.floor(i / length)) * length + (i % length)]!) as A;
}

function forEachPlace(
  [images, height, width, channels]: ImageShape,
  { height: rows, width: columns, top = 0, left = 0, stepY = 1, stepX = 1 }: Placement,
  visit: (small: number, large: number) => void,
): void {
  for (let i = 0; i < images * height * width * channels; i++) {
    const c = i % channels;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width) % height;
    const n = Math.floor(i / channels / width / height);
    visit(i, ((n * rows + top + y * stepY) * columns + left + x * stepX) * channels + c);
  }
}
