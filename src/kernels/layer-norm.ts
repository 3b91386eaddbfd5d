/**
 * What the kernels of layer normalisation share: the sets of elements that are normalised together, and the order of
 * sums over a set.
 *
 *   over 'channels'  a set is a pixel, P = H W sets a sample; parameters [C]
 *   over 'image'     a set is a sample, one a sample; parameters [H, W, C]
 *
 *   statistics  [n, sets, 2]: mean, and inverse = 1 / sqrt(variance + epsilon)
 *
 * Sums over a set are of f64, in eight partial sums: that of channel c goes to partial c % 8, from +0, in the order y, x,
 * c; they are folded as ((p0 + p4) + (p2 + p6)) + ((p1 + p5) + (p3 + p7)).
 */
import type { View } from '../tensor/view.ts';
import { type BufferArg, f32Buffer } from './kernel.ts';
import { pixelOffset } from './pixels.ts';

export type NormalizedOver = 'channels' | 'image';

/** Sets of a sample, pixels of a set, and elements of the parameters. */
export function setSizes({ height, width, channels }: View, over: NormalizedOver) {
  const pixels = height * width;
  return over === 'channels'
    ? { sets: pixels, setPixels: 1, parameters: channels }
    : { sets: 1, setPixels: pixels, parameters: pixels * channels };
}

/** The statistics as an argument. */
export function setStatistics(access: 'in' | 'out', view: View, over: NormalizedOver): BufferArg {
  return f32Buffer('statistics', access, (count) => 2 * count * setSizes(view, over).sets);
}

/** Elements from a view's origin to channel 0 of pixel `index` of image `n`, pixels in the order y, x. */
export function pixelAt(view: View, n: number, index: number): number {
  return pixelOffset(view, n, Math.floor(index / view.width), index % view.width);
}

/** Partial sums. */
export const PARTIALS = 8;

/** The sum of eight partial sums. */
export function foldPartials(p: Float64Array): number {
  return p[0]! + p[4]! + (p[2]! + p[6]!) + (p[1]! + p[5]! + (p[3]! + p[7]!));
}
