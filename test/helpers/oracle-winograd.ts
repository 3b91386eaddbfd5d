/**
 * The oracle of the Winograd kernels: the same matrices as plain f64 matrix products, tile by tile. On
 * absolute matrices and absolute values it gives S_w, the magnitude in the error bound
 *
 *   |computed - exact| <= gamma(n + 4t + 9) * S_w,  n the length of the sum of products
 */

import { inputGradientGeometry } from '../../src/kernels/winograd-geometry.ts';
import {
  type Matrix,
  type OutputTile,
  transpose,
  type WinogradMatrices,
  winogradMatrices,
} from '../../src/kernels/winograd-transforms.ts';
import type { ConvGeometry } from '../../src/tensor/convolution.ts';
import { absolute, type Values } from './oracle.ts';
import type { PassName, PassProblem, Subject } from './oracle-checks.ts';
import { flipAndExchange, rotateTaps } from './placement.ts';
import { winogradPasses } from './run-convolution.ts';
import { gamma } from './tolerance.ts';

/** A^T, G and B^T as real matrices. */
export interface RealMatrices {
  readonly a: Matrix;
  readonly g: Matrix;
  readonly b: Matrix;
}

/** The three matrices with G's divisors applied. */
export function realMatrices(m: WinogradMatrices): RealMatrices {
  const g = m.weightMatrix.map((row, k) => row.map((value) => value / m.weightDivisors[k]!));
  return { a: m.outputMatrix, g, b: m.inputMatrix };
}

/** The matrices of their absolute values. */
export function absoluteMatrices({ a, g, b }: RealMatrices): RealMatrices {
  const abs = (matrix: Matrix) => matrix.map((row) => row.map(Math.abs));
  return { a: abs(a), g: abs(g), b: abs(b) };
}

/** left * right. */
export function product(left: Matrix, right: Matrix): number[][] {
  return left.map((row) =>
    right[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * right[k]![j]!, 0)),
  );
}

/** M x M^T. */
function nested(m: Matrix, x: Matrix): number[][] {
  return product(product(m, x), transpose(m));
}

/** `size` x `size` pixels of one channel from (y, x) on; zeros outside the image. */
function tileAt(
  values: Values,
  [height, width, channels]: readonly [number, number, number],
  [n, y, x, c]: readonly [number, number, number, number],
  size: number,
): number[][] {
  const pixel = (row: number, column: number) =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : values[((n * height + row) * width + column) * channels + c]!;
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => pixel(y + i, x + j)));
}

/** Calls `visit` with image, first output row and first output column of each tile. */
function forEachTile(
  g: ConvGeometry,
  m: number,
  count: number,
  visit: (n: number, y: number, x: number) => void,
) {
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < g.outHeight; y += m) {
      for (let x = 0; x < g.outWidth; x += m) visit(n, y, x);
    }
  }
}

/** Output [count, Ho, Wo, K] of a 3x3 correlation by the matrices. */
function winogradForwardOracle(
  { a, g: weightMatrix, b }: RealMatrices,
  g: ConvGeometry,
  input: Values,
  weight: Values,
  count: number,
): Float64Array {
  const [m, t] = [a.length, b.length];
  const output = new Float64Array(count * g.outHeight * g.outWidth * g.outChannels);
  const taps = (c: number, k: number) =>
    [0, 1, 2].map((i) => [0, 1, 2].map((j) => weight[((i * 3 + j) * g.inChannels + c) * g.outChannels + k]!));
  const u = Array.from({ length: g.inChannels * g.outChannels }, (_, i) =>
    nested(weightMatrix, taps(Math.floor(i / g.outChannels), i % g.outChannels)),
  );
  forEachTile(g, m, count, (n, y, x) => {
    const v = Array.from({ length: g.inChannels }, (_, c) => {
      const corner = [n, y - g.padding.top, x - g.padding.left, c] as const;
      return nested(b, tileAt(input, [g.inHeight, g.inWidth, g.inChannels], corner, t));
    });
    for (let k = 0; k < g.outChannels; k++) {
      const sum = b.map((_, i) =>
        b.map((_, j) => v.reduce((s, vc, c) => s + vc[i]![j]! * u[c * g.outChannels + k]![i]![j]!, 0)),
      );
      nested(a, sum).forEach((row, i) => {
        row.forEach((value, j) => {
          if (y + i >= g.outHeight || x + j >= g.outWidth) return;
          output[((n * g.outHeight + y + i) * g.outWidth + x + j) * g.outChannels + k] = value;
        });
      });
    }
  });
  return output;
}

/** Gradient of the weights, HWIO [3, 3, C, K], by the matrices with A and G exchanged. */
function winogradWeightGradientOracle(
  { a, g: weightMatrix, b }: RealMatrices,
  g: ConvGeometry,
  input: Values,
  gradOutput: Values,
  count: number,
): Float64Array {
  const [m, t] = [a.length, b.length];
  const pairs = g.inChannels * g.outChannels;
  const sums = Array.from({ length: pairs }, () => b.map((row) => row.map(() => 0)));
  forEachTile(g, m, count, (n, y, x) => {
    const v = Array.from({ length: g.inChannels }, (_, c) => {
      const corner = [n, y - g.padding.top, x - g.padding.left, c] as const;
      return nested(b, tileAt(input, [g.inHeight, g.inWidth, g.inChannels], corner, t));
    });
    for (let k = 0; k < g.outChannels; k++) {
      const dy = tileAt(gradOutput, [g.outHeight, g.outWidth, g.outChannels], [n, y, x, k], m);
      const w = nested(transpose(a), dy);
      v.forEach((vc, c) => {
        const sum = sums[c * g.outChannels + k]!;
        for (let e = 0; e < t * t; e++) {
          const [i, j] = [Math.floor(e / t), e % t];
          sum[i]![j]! += vc[i]![j]! * w[i]![j]!;
        }
      });
    }
  });
  const gradWeight = new Float64Array(9 * pairs);
  sums.forEach((sum, pair) => {
    nested(transpose(weightMatrix), sum).forEach((row, i) => {
      row.forEach((value, j) => {
        gradWeight[(i * 3 + j) * pairs + pair] = value;
      });
    });
  });
  return gradWeight;
}

/** S_w of a pass: the same matrices on absolute values. Weights of a true convolution are given rotated. */
export function winogradMagnitudes(
  outputTile: OutputTile,
  pass: PassName,
  { geometry: g, count, flip }: PassProblem,
  a: Values,
  b: Values,
): Float64Array {
  const matrices = absoluteMatrices(realMatrices(winogradMatrices(outputTile)));
  const [x, y] = [absolute(a), absolute(b)];
  if (pass === 'weightGradient') {
    const magnitudes = winogradWeightGradientOracle(matrices, g, x, y, count);
    return flip ? rotateTaps(magnitudes, 9) : magnitudes;
  }
  const weight = flip ? rotateTaps(y, 9) : y;
  return pass === 'forward'
    ? winogradForwardOracle(matrices, g, x, weight, count)
    : winogradForwardOracle(matrices, inputGradientGeometry(g), x, flipAndExchange(weight, g), count);
}

/** The scalar Winograd kernels, with the bound gamma(n + 4t + 9) * (S_w + |start|). */
export function winograd(outputTile: OutputTile): Subject {
  return {
    ...winogradPasses(outputTile),
    bounds(pass, problem, a, b, start) {
      const { geometry: g, count } = problem;
      const tiles = count * Math.ceil(g.outHeight / outputTile) * Math.ceil(g.outWidth / outputTile);
      const n = { forward: g.inChannels, inputGradient: g.outChannels, weightGradient: tiles }[pass];
      const size = winogradMagnitudes(outputTile, pass, problem, a, b);
      const tile = winogradMatrices(outputTile).tile;
      return size.map((value, i) => gamma(n + 4 * tile + 9) * (value + Math.abs(start[i]!)));
    },
  };
}
