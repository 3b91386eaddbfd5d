/**
 * The f64 reference of a convolution's three passes, an element at a time: what a large convolution's error is
 * measured against without computing all of it. Plain arrays: images NHWC, weights HWIO [kh, kw, C/groups, K].
 */
import type { ConvGeometry } from '../src/tensor/convolution.ts';
import type { ConvPass } from './conv-kernels.ts';

/** The arrays of a convolution of `count` images; a pass reads two of them. */
export interface ConvArrays {
  readonly count: number;
  readonly input: Float32Array;
  readonly weight: Float32Array;
  readonly gradOutput: Float32Array;
}

/** Element `index` of a pass's result. */
export function referenceElement(g: ConvGeometry, pass: ConvPass, arrays: ConvArrays, index: number): number {
  if (pass === 'forward') return outputElement(g, arrays, index);
  return pass === 'inputGradient' ? gradInputElement(g, arrays, index) : gradWeightElement(g, arrays, index);
}

/** sum over ky, kx, c of in[n, oy*s + ky*d - pad, ..., c] * w[ky, kx, c, k] */
function outputElement(g: ConvGeometry, { input, weight }: ConvArrays, index: number): number {
  const [n, oy, ox, k] = coordinates(index, g.outHeight, g.outWidth, g.outChannels);
  const inner = g.inChannels / g.groups;
  const first = Math.floor(k / (g.outChannels / g.groups)) * inner;
  let sum = 0;
  forEachTap(g, (ky, kx, tap) => {
    const y = oy * g.strideY + ky * g.dilationY - g.padding.top;
    const x = ox * g.strideX + kx * g.dilationX - g.padding.left;
    if (y < 0 || y >= g.inHeight || x < 0 || x >= g.inWidth) return;
    const from = ((n * g.inHeight + y) * g.inWidth + x) * g.inChannels + first;
    for (let c = 0; c < inner; c++) sum += input[from + c]! * weight[(tap * inner + c) * g.outChannels + k]!;
  });
  return sum;
}

/** sum over the outputs that read in[n, y, x, c] of gradOutput times the weight it was read with */
function gradInputElement(g: ConvGeometry, { gradOutput, weight }: ConvArrays, index: number): number {
  const [n, y, x, channel] = coordinates(index, g.inHeight, g.inWidth, g.inChannels);
  const inner = g.inChannels / g.groups;
  const outer = g.outChannels / g.groups;
  const first = Math.floor(channel / inner) * outer;
  let sum = 0;
  forEachTap(g, (ky, kx, tap) => {
    const oy = (y + g.padding.top - ky * g.dilationY) / g.strideY;
    const ox = (x + g.padding.left - kx * g.dilationX) / g.strideX;
    if (!Number.isInteger(oy) || !Number.isInteger(ox)) return;
    if (oy < 0 || oy >= g.outHeight || ox < 0 || ox >= g.outWidth) return;
    const from = ((n * g.outHeight + oy) * g.outWidth + ox) * g.outChannels + first;
    const w = (tap * inner + (channel % inner)) * g.outChannels + first;
    for (let k = 0; k < outer; k++) sum += gradOutput[from + k]! * weight[w + k]!;
  });
  return sum;
}

/** sum over n, oy, ox of gradOutput[n, oy, ox, k] times the input that tap (ky, kx) reads there */
function gradWeightElement(g: ConvGeometry, { count, input, gradOutput }: ConvArrays, index: number): number {
  const inner = g.inChannels / g.groups;
  const [ky, kx, c, k] = coordinates(index, g.kernelWidth, inner, g.outChannels);
  const channel = Math.floor(k / (g.outChannels / g.groups)) * inner + c;
  let sum = 0;
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      const y = oy * g.strideY + ky * g.dilationY - g.padding.top;
      if (y < 0 || y >= g.inHeight) continue;
      for (let ox = 0; ox < g.outWidth; ox++) {
        const x = ox * g.strideX + kx * g.dilationX - g.padding.left;
        if (x < 0 || x >= g.inWidth) continue;
        const value = input[((n * g.inHeight + y) * g.inWidth + x) * g.inChannels + channel]!;
        sum += value * gradOutput[((n * g.outHeight + oy) * g.outWidth + ox) * g.outChannels + k]!;
      }
    }
  }
  return sum;
}

/** [index, of rows, of columns, of channels] of an element of a row-major array [?, rows, columns, channels]. */
function coordinates(
  index: number,
  rows: number,
  columns: number,
  channels: number,
): readonly [number, number, number, number] {
  const column = Math.floor(index / channels);
  const row = Math.floor(column / columns);
  return [Math.floor(row / rows), row % rows, column % columns, index % channels];
}

function forEachTap(g: ConvGeometry, visit: (ky: number, kx: number, tap: number) => void): void {
  for (let ky = 0; ky < g.kernelHeight; ky++) {
    for (let kx = 0; kx < g.kernelWidth; kx++) visit(ky, kx, ky * g.kernelWidth + kx);
  }
}

/**
 * |result - reference| / |reference| in the Euclidean norm, over `elements` elements spread by a multiplier
 * prime to the length, or over all where there are fewer.
 */
export function relativeError(
  g: ConvGeometry,
  pass: ConvPass,
  arrays: ConvArrays,
  result: Float32Array,
  elements: number,
): number {
  const stride = result.length <= elements ? 1 : coprimeStride(result.length);
  let [error, norm] = [0, 0];
  for (let i = 0; i < Math.min(elements, result.length); i++) {
    const index = (i * stride) % result.length;
    const reference = referenceElement(g, pass, arrays, index);
    error += (result[index]! - reference) ** 2;
    norm += reference ** 2;
  }
  return Math.sqrt(error / norm);
}

/** A step through 0 .. length-1 that comes to every residue of tiles and channels: near the golden ratio of it. */
export function coprimeStride(length: number): number {
  let stride = Math.floor(length * 0.6180339887498949);
  while (greatestCommonDivisor(stride, length) !== 1) stride++;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
