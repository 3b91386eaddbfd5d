/**
 * True convolution by the convolution theorem, an oracle that shares no loop with the others: discrete
 * Fourier transforms of power-of-two size in f64 (Cooley and Tukey, radix 2), pointwise products, and back.
 */
import type { Values } from './oracle.ts';

/** Complex numbers, `size` x `size`, row-major. */
interface Plane {
  readonly size: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** In-place transform of `size` elements from `start` on, `step` apart; sign -1 forward, +1 back (unscaled). */
function transform({ re, im }: Plane, size: number, start: number, step: number, sign: 1 | -1): void {
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    const [p, q] = [start + i * step, start + j * step];
    [re[p], re[q]] = [re[q]!, re[p]!];
    [im[p], im[q]] = [im[q]!, im[p]!];
  }
  for (let length = 2; length <= size; length *= 2) {
    for (let k = 0; k < length / 2; k++) {
      const angle = (sign * 2 * Math.PI * k) / length;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let i = k; i < size; i += length) {
        const [p, q] = [start + i * step, start + (i + length / 2) * step];
        const [x, y] = [re[q]! * c - im[q]! * s, re[q]! * s + im[q]! * c];
        [re[q], im[q]] = [re[p]! - x, im[p]! - y];
        [re[p], im[p]] = [re[p]! + x, im[p]! + y];
      }
    }
  }
}

function transformPlane(plane: Plane, sign: 1 | -1): Plane {
  const { size } = plane;
  for (let row = 0; row < size; row++) transform(plane, size, row * size, 1, sign);
  for (let column = 0; column < size; column++) transform(plane, size, column, size, sign);
  return plane;
}

/** The spectrum of height x width numbers, `step` apart in `values` from `start` on, padded with zeros. */
function spectrum(
  values: Values,
  start: number,
  step: number,
  height: number,
  width: number,
  size: number,
): Plane {
  const plane = { size, re: new Float64Array(size * size), im: new Float64Array(size * size) };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) plane.re[y * size + x] = values[start + (y * width + x) * step]!;
  }
  return transformPlane(plane, -1);
}

/**
 * Full true convolution of an image [H, W, C] with weights [kh, kw, C, K], summed over C: [H+kh-1, W+kw-1, K].
 * Also returns a bound of its own error: each of 3 transforms of `levels` radix-2 levels errs by at most
 * levels * 10u' in the 2-norm, u' = 2^-53 (Higham, theorem 24.2, with twiddles good to 2u').
 */
export function fourierConvolution(
  image: Values,
  [height, width, channels]: readonly [number, number, number],
  weight: Values,
  [kernelHeight, kernelWidth, outChannels]: readonly [number, number, number],
): { readonly output: Float64Array; readonly error: number } {
  const [rows, columns] = [height + kernelHeight - 1, width + kernelWidth - 1];
  let size = 1;
  while (size < Math.max(rows, columns)) size *= 2;
  const output = new Float64Array(rows * columns * outChannels);
  const images = Array.from({ length: channels }, (_, c) =>
    spectrum(image, c, channels, height, width, size),
  );
  for (let k = 0; k < outChannels; k++) {
    const sum: Plane = { size, re: new Float64Array(size * size), im: new Float64Array(size * size) };
    images.forEach((a, c) => {
      const b = spectrum(
        weight,
        c * outChannels + k,
        channels * outChannels,
        kernelHeight,
        kernelWidth,
        size,
      );
      for (let i = 0; i < size * size; i++) {
        sum.re[i]! += a.re[i]! * b.re[i]! - a.im[i]! * b.im[i]!;
        sum.im[i]! += a.re[i]! * b.im[i]! + a.im[i]! * b.re[i]!;
      }
    });
    transformPlane(sum, 1);
    for (let i = 0; i < rows * columns; i++) {
      const at = Math.floor(i / columns) * size + (i % columns);
      output[i * outChannels + k] = sum.re[at]! / size ** 2;
    }
  }
  const levels = 3 * 2 * Math.log2(size) + channels;
  return { output, error: levels * 10 * 2 ** -53 * norm(image) * norm(weight) };
}

function norm(values: Values): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
