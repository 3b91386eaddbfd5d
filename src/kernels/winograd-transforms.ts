/**
 * The matrices of Winograd's minimal filtering F(m, r): m outputs of a correlation with r taps from one
 * tile of t = m + r - 1 inputs, by t multiplications instead of m*r.
 *
 *   y = A^T [(G g) o (B^T d)]                   d [t], g [r], y [m]       one axis
 *   Y = A^T [(G g G^T) o (B^T d B)] A           d [t, t], g [r, r], Y [m, m]
 *
 * One identity makes it right, for all q < m, i < r, j < t:
 *
 *   sum over k of A[k, q] G[k, i] B[j, k] = 1 where j = q + i, else 0
 *
 * It is symmetric in A and G, so the same three matrices give the weight gradient of F(m, r), which is
 * F(r, m) on the same tiles: dg = G^T [(A dy) o (B^T d)] and, nested, dG = G^T [(A dY A^T) o (B^T d B)] G.
 * Hence F(4,3) holds F(3,4) on 6x6 tiles, and F(2,3) holds F(3,2) on 4x4 tiles.
 *
 * Sources: S. Winograd, Arithmetic Complexity of Computations (1980); A. Lavin and S. Gray, Fast
 * Algorithms for Convolutional Neural Networks (2015, arXiv:1509.09308), eq. 6-8 and sections 4.1-4.3.
 *
 * Every entry here is an f32 number. G's rows have fractions that are not, so a row is kept as f32
 * numbers and one divisor: G[k, i] = weightMatrix[k][i] / weightDivisors[k].
 *
 * Rows that belong to points +p and -p stand next to each other: winograd-steps.ts looks for such pairs.
 */

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** Outputs along each axis of a tile. */
export type OutputTile = 2 | 4;

/** F(outputs, taps): its matrices and its sizes along one axis. */
export interface WinogradMatrices {
  /** m, outputs of a tile. */
  readonly outputs: number;
  /** r, taps of the weights. */
  readonly taps: number;
  /** t = m + r - 1, inputs of a tile, and multiplications. */
  readonly tile: number;
  /** A^T, [m, t]. */
  readonly outputMatrix: Matrix;
  /** G with each row times its divisor, [t, r]. */
  readonly weightMatrix: Matrix;
  /** What each row of `weightMatrix` is to be divided by, [t]. */
  readonly weightDivisors: readonly number[];
  /** B^T, [t, t]. */
  readonly inputMatrix: Matrix;
}

/** F(2,3) at the points 0, 1, -1, infinity: 4 multiplications for 6 (Lavin and Gray, section 4.1). */
export const F2_3: WinogradMatrices = {
  outputs: 2,
  taps: 3,
  tile: 4,
  outputMatrix: [
    [1, 1, 1, 0],
    [0, 1, -1, -1],
  ],
  weightMatrix: [
    [1, 0, 0],
    [1, 1, 1],
    [1, -1, 1],
    [0, 0, 1],
  ],
  weightDivisors: [1, 2, 2, 1],
  inputMatrix: [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, 1, 0, -1],
  ],
};

/** F(4,3) at the points 0, 1, -1, 2, -2, infinity: 6 multiplications for 12 (Lavin and Gray, section 4.3). */
export const F4_3: WinogradMatrices = {
  outputs: 4,
  taps: 3,
  tile: 6,
  outputMatrix: [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
  ],
  weightMatrix: [
    [1, 0, 0],
    [1, 1, 1],
    [1, -1, 1],
    [1, 2, 4],
    [1, -2, 4],
    [0, 0, 1],
  ],
  weightDivisors: [4, -6, -6, 24, 24, 1],
  inputMatrix: [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ],
};

/** The matrices that the kernels use for 3x3 weights: another point set is another table here. */
export function winogradMatrices(outputTile: OutputTile): WinogradMatrices {
  return outputTile === 2 ? F2_3 : F4_3;
}

/** Rows to columns. */
export function transpose(matrix: Matrix): Matrix {
  return matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));
}
