/**
 * The gradient of a 3x3 convolution with respect to its weights by Winograd's F(3,2) on 4x4 tiles or
 * F(3,4) on 6x6 tiles, which are F(2,3) and F(4,3) with A and G exchanged (winograd-transforms.ts).
 *
 *   input       [n, H, W, C]
 *   gradOutput  [n, Ho, Wo, K]
 *   gradWeight  plain HWIO [3, 3, C, K]
 *   scratch     `gradientScratchLength(spec)` elements; their contents mean nothing to a caller
 *
 *   gradWeight[.., c, k] = G^T [sum over tiles of (A dY A^T) o (B^T d B)] G (+ the value held, `accumulate`)
 *
 * with dY an m x m tile of gradOutput, d the t x t tile of input that the forward pass reads for it. Blocks
 * of up to 8 tiles of one image, row by row, pass through scratch:
 *
 *   S [t*t][C][K]   the sums
 *   V [t*t][8][C]   = B^T d B, the forward pass's own (winograd-tiles.ts)
 *   M [t*t][8][K]   = A dY A^T, each element divided once, as in winograd-weights.ts
 *
 * with K and, in V, C rounded up to 4. (The SIMD kernel may leave gaps in V and M, gradientSlab, and has S in panels of
 * outputs, gradientSumsSlab.)
 *
 * Order, all in f32: A, B^T and G^T by the steps of winograd-steps.ts, down the columns, then along the
 * rows. Each element of S starts at +0 and adds V*M for n, tile row, tile column ascending, product and
 * sum rounded. G's divisors are applied to M, which has fewer elements than S. With `accumulate` the result is
 * added to the value held, else written. With `flip` (a true convolution's weights) tap
 * (ky, kx) is written at (2-ky, 2-kx).
 */
import { type ConvGeometry, weightCount } from '../tensor/convolution.ts';
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { checkInputView, checkOutputView } from './conv2d-views.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import {
  checkWinogradGeometry,
  gradientSlab,
  gradientSumsSlab,
  gradientTileBlock,
  tileArea,
  tileGrid,
  wholeVectors,
} from './winograd-geometry.ts';
import { bindNested, nestedSteps, stepProgram } from './winograd-steps.ts';
import { bindTiles } from './winograd-tiles.ts';
import { type OutputTile, transpose, winogradMatrices } from './winograd-transforms.ts';
import { tileDivisors } from './winograd-weights.ts';

export interface WinogradWeightGradientSpec {
  readonly kind: 'winogradWeightGradient';
  readonly geometry: ConvGeometry;
  /** m of the forward pass: side of the tiles of gradOutput. */
  readonly outputTile: OutputTile;
  readonly input: View;
  readonly gradOutput: View;
  /** Whether the result is added to what gradWeight holds. */
  readonly accumulate: boolean;
  /** Whether the weights are a true convolution's. */
  readonly flip: boolean;
}

/** Elements of scratch: S, then V and M of one block. */
export function gradientScratchLength({ geometry: g, outputTile }: WinogradWeightGradientSpec): number {
  const tiles = gradientTileBlock(g);
  const slabs = gradientSlab(g.inChannels, tiles).element + gradientSlab(g.outChannels, tiles).element;
  return tileArea(outputTile) * (gradientSumsSlab(g) + slabs);
}

const f = Math.fround;

export const winogradWeightGradient: KernelFamily<WinogradWeightGradientSpec> = {
  kind: 'winogradWeightGradient',
  args: (spec) => [
    f32Buffer('input', 'in', (count) => viewSpan(spec.input, count), viewLead(spec.input)),
    f32Buffer('gradOutput', 'in', (count) => viewSpan(spec.gradOutput, count), viewLead(spec.gradOutput)),
    f32Buffer('gradWeight', spec.accumulate ? 'inout' : 'out', () => weightCount(spec.geometry)),
    f32Buffer('scratch', 'scratch', () => gradientScratchLength(spec)),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    const { geometry: g, outputTile, input, gradOutput } = spec;
    checkWinogradGeometry('winogradWeightGradient', g);
    checkInputView('winogradWeightGradient', 'input', input, g, 0);
    checkOutputView('winogradWeightGradient', 'gradOutput', gradOutput, g, 0);
    const { tile, inputMatrix, outputMatrix } = winogradMatrices(outputTile);
    const [rows, columns] = tileGrid(g, outputTile);
    const tiles = rows * columns;
    const most = gradientTileBlock(g);
    const inputs = { columns, tileStep: outputTile, padding: g.padding, block: most };
    const transformInput = bindTiles(f32, input, stepProgram(inputMatrix), inputs);
    const outputs = { columns, tileStep: outputTile, padding: { top: 0, left: 0 }, block: most };
    const gradientProgram = stepProgram(transpose(outputMatrix));
    const divisors = tileDivisors(winogradMatrices(outputTile));
    const transformGradient = bindTiles(f32, gradOutput, gradientProgram, outputs, divisors);
    const multiply = bindProducts(spec, f32);
    const finish = bindFinish(spec, f32);
    return (...args) => {
      const [inputAt, gradOutputAt, gradWeightAt, scratchAt] = args.map((byte) => byte >>> 2) as number[] &
        [number, number, number, number];
      const v = scratchAt + tile * tile * g.inChannels * wholeVectors(g.outChannels);
      const m = v + tile * tile * most * wholeVectors(g.inChannels);
      f32.fill(0, scratchAt, v);
      for (let n = 0; n < args[4]!; n++) {
        for (let first = 0; first < tiles; first += most) {
          const block = Math.min(most, tiles - first);
          transformInput(inputAt + n * input.imageStride, v, first, block);
          transformGradient(gradOutputAt + n * gradOutput.imageStride, m, first, block);
          multiply(scratchAt, v, m, block);
        }
      }
      finish(scratchAt, gradWeightAt);
    };
  },
  flops({ geometry: g, outputTile }, count) {
    const [rows, columns] = tileGrid(g, outputTile);
    const { tile, inputMatrix, outputMatrix, weightMatrix } = winogradMatrices(outputTile);
    const { inChannels, outChannels } = g;
    const transforms =
      inChannels * nestedSteps(stepProgram(inputMatrix)) +
      outChannels * nestedSteps(stepProgram(transpose(outputMatrix)));
    const products = 2 * tile * tile * inChannels * outChannels;
    const last = inChannels * outChannels * (tile * tile + nestedSteps(stepProgram(transpose(weightMatrix))));
    return count * rows * columns * (transforms + products) + last;
  },
};

/** Adds a block's products to the sums: t*t matrix products, [C, block] by [block, K]. */
function bindProducts({ geometry: g, outputTile }: WinogradWeightGradientSpec, f32: Float32Array) {
  const elements = tileArea(outputTile);
  const [inner, columns] = [wholeVectors(g.inChannels), wholeVectors(g.outChannels)];
  const most = gradientTileBlock(g);
  return (sums: number, v: number, m: number, block: number): void => {
    for (let e = 0; e < elements; e++) {
      for (let b = 0; b < block; b++) {
        const tile = e * most + b;
        for (let c = 0; c < g.inChannels; c++) {
          const value = f32[v + tile * inner + c]!;
          const to = sums + (e * g.inChannels + c) * columns;
          for (let k = 0; k < columns; k++) {
            f32[to + k] = f(f32[to + k]! + f(value * f32[m + tile * columns + k]!));
          }
        }
      }
    }
  };
}

/** Applies G^T to both axes and writes the taps. */
function bindFinish(spec: WinogradWeightGradientSpec, f32: Float32Array) {
  const { geometry: g, outputTile, accumulate, flip } = spec;
  const matrices = winogradMatrices(outputTile);
  const nested = bindNested(stepProgram(transpose(matrices.weightMatrix)));
  const columns = wholeVectors(g.outChannels);
  const tile = new Float32Array(tileArea(outputTile));
  const taps = new Float32Array(matrices.taps * matrices.taps);
  return (sums: number, gradWeightAt: number): void => {
    for (let c = 0; c < g.inChannels; c++) {
      for (let k = 0; k < g.outChannels; k++) {
        for (let e = 0; e < tile.length; e++) {
          tile[e] = f32[sums + (e * g.inChannels + c) * columns + k]!;
        }
        nested(tile, taps);
        for (let tap = 0; tap < taps.length; tap++) {
          const target = flip ? taps.length - 1 - tap : tap;
          const to = gradWeightAt + (target * g.inChannels + c) * g.outChannels + k;
          f32[to] = accumulate ? f(f32[to]! + taps[tap]!) : taps[tap]!;
        }
      }
    }
  };
}
