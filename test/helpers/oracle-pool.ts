/**
 * The oracle of pooling, in naive f64 loops over plain NHWC arrays. Windows are those of a convolution
 * geometry; only its spatial fields and `inChannels` are read. Padding takes no part in a maximum.
 */
import type { ConvGeometry } from '../../src/tensor/convolution.ts';
import type { Values } from './oracle.ts';

/** The geometry's fields that a pooling window has. */
export type PoolGeometry = Pick<
  ConvGeometry,
  | 'inHeight'
  | 'inWidth'
  | 'inChannels'
  | 'outHeight'
  | 'outWidth'
  | 'kernelHeight'
  | 'kernelWidth'
  | 'strideY'
  | 'strideX'
  | 'dilationY'
  | 'dilationX'
  | 'padding'
>;

/** Walks the windows: the output element and its input elements inside the image, row-major. */
function forEachWindow(
  g: PoolGeometry,
  count: number,
  visit: (output: number, inputs: readonly number[]) => void,
): void {
  const outputs = count * g.outHeight * g.outWidth * g.inChannels;
  for (let output = 0; output < outputs; output++) {
    const c = output % g.inChannels;
    const ox = Math.floor(output / g.inChannels) % g.outWidth;
    const oy = Math.floor(output / g.inChannels / g.outWidth) % g.outHeight;
    const n = Math.floor(output / g.inChannels / g.outWidth / g.outHeight);
    const inputs: number[] = [];
    for (let ky = 0; ky < g.kernelHeight; ky++) {
      for (let kx = 0; kx < g.kernelWidth; kx++) {
        const y = oy * g.strideY + ky * g.dilationY - g.padding.top;
        const x = ox * g.strideX + kx * g.dilationX - g.padding.left;
        const inside = y >= 0 && y < g.inHeight && x >= 0 && x < g.inWidth;
        if (inside) inputs.push(((n * g.inHeight + y) * g.inWidth + x) * g.inChannels + c);
      }
    }
    visit(output, inputs);
  }
}

/**
 * Maxima [count, Ho, Wo, C] and the input element each came from: the first maximum in row-major order,
 * the first NaN where there is one. A window without a pixel gives -Infinity and -1.
 */
export function maxPool(
  g: PoolGeometry,
  input: Values,
  count: number,
): { readonly output: Float64Array; readonly from: Int32Array } {
  const length = count * g.outHeight * g.outWidth * g.inChannels;
  const output = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(length).fill(-1);
  forEachWindow(g, count, (o, inputs) => {
    for (const i of inputs) {
      const better = from[o] === -1 || input[i]! > output[o]! || Number.isNaN(input[i]!);
      if (Number.isNaN(output[o]!) || !better) continue;
      output[o] = input[i]!;
      from[o] = i;
    }
  });
  return { output, from };
}

/** Gradient of the input of max pooling: each gradOutput goes to where its maximum came from. */
export function maxPoolGradient(
  g: PoolGeometry,
  input: Values,
  gradOutput: Values,
  count: number,
): Float64Array {
  const gradInput = new Float64Array(count * g.inHeight * g.inWidth * g.inChannels);
  maxPool(g, input, count).from.forEach((i, o) => {
    if (i >= 0) gradInput[i]! += gradOutput[o]!;
  });
  return gradInput;
}

/** Averages [count, Ho, Wo, C]: over the whole window where `countPadding`, else over its pixels in the image. */
export function averagePool(
  g: PoolGeometry,
  input: Values,
  count: number,
  countPadding: boolean,
): Float64Array {
  const output = new Float64Array(count * g.outHeight * g.outWidth * g.inChannels);
  forEachWindow(g, count, (o, inputs) => {
    const divisor = countPadding ? g.kernelHeight * g.kernelWidth : inputs.length;
    for (const i of inputs) output[o]! += input[i]!;
    output[o]! /= divisor;
  });
  return output;
}

/** Gradient of the input of average pooling: each gradOutput spreads evenly over its window. */
export function averagePoolGradient(
  g: PoolGeometry,
  gradOutput: Values,
  count: number,
  countPadding: boolean,
): Float64Array {
  const gradInput = new Float64Array(count * g.inHeight * g.inWidth * g.inChannels);
  forEachWindow(g, count, (o, inputs) => {
    const divisor = countPadding ? g.kernelHeight * g.kernelWidth : inputs.length;
    for (const i of inputs) gradInput[i]! += gradOutput[o]! / divisor;
  });
  return gradInput;
}
