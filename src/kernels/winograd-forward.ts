/**
 * The forward pass of a 3x3 convolution by Winograd's F(2,3) or F(4,3), nested, with bias and ReLU.
 *
 *   input    [n, H, W, C]
 *   weight   U, transformed for 'forward' (winograd-weights.ts)
 *   bias     [K], an argument only where `spec.bias`
 *   scratch  `scratchLength(spec)` elements; their contents mean nothing to a caller
 *   output   [n, Ho, Wo, K]
 *
 * Three passes over each block of tiles (`forwardTileBlock`), which follow each other row by row within one image:
 *
 *   V = B^T d B         from the input (winograd-tiles.ts)         scratch [t*t][block][C rounded up to 4]
 *   M = sum of V o U    over the input channels                    then    [t*t][block][K rounded up to 4]
 *   Y = A^T M A         to the output
 *
 * The SIMD kernel leaves gaps in V and M (forwardSlab).
 *
 *   output[n, oy, ox, k] = activation(Y + start), start = bias[k], or where `accumulate` the value held
 *
 * with `gate` only where the ReLU in front had an output above 0, else +0
 *
 * Order, all in f32: B^T and A^T by the steps of winograd-steps.ts, down the columns of a tile, then along
 * the rows. Each element of M (U's padding lanes included) starts at +0 and adds V*U for c ascending,
 * product and sum rounded. Without bias and `accumulate` nothing is added to Y. Blocks only share memory:
 * they change no bits.
 *
 * With gradOutput as input, weights transformed for 'inputGradient' and the geometry of
 * `inputGradientGeometry`, this is the input gradient. A NaN or an infinity spreads over its tile.
 * Source: Lavin and Gray (2015), section 4.
 */
import type { ConvGeometry } from '../tensor/convolution.ts';
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { panelStart, panelWidth } from './conv2d-pack.ts';
import type { FusedActivation } from './conv2d-quad.ts';
import { checkAccumulation, checkInputView, checkOutputView } from './conv2d-views.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, viewBuffer } from './pixels.ts';
import { passGate } from './relu-gate.ts';
import {
  checkWinogradGeometry,
  forwardSlab,
  forwardTileBlock,
  tileArea,
  tileGrid,
  wholeVectors,
} from './winograd-geometry.ts';
import { bindNested, nestedSteps, stepProgram } from './winograd-steps.ts';
import { bindTiles } from './winograd-tiles.ts';
import { type OutputTile, winogradMatrices } from './winograd-transforms.ts';
import { transformedLayout, transformedSlab } from './winograd-weights.ts';

export interface WinogradForwardSpec {
  readonly kind: 'winogradForward';
  readonly geometry: ConvGeometry;
  readonly outputTile: OutputTile;
  readonly input: View;
  readonly output: View;
  readonly bias: boolean;
  /** Whether the result is added to what output holds (default false); excludes `bias`. */
  readonly accumulate?: boolean;
  readonly activation: FusedActivation;
  /** As an input gradient: the output of the ReLU in front, through which the result goes on (relu-gate.ts). */
  readonly gate?: View;
  /** Outputs of the transformed weights, where the convolution is of some of them (whole panels) only. */
  readonly weightOutputs?: number;
}

/** The convolution of all outputs of the transformed weights. */
function wholeConvolution({ geometry, weightOutputs }: WinogradForwardSpec): ConvGeometry {
  return weightOutputs === undefined ? geometry : { ...geometry, outChannels: weightOutputs };
}

/** Tiles that pass through scratch together. */
export function blockOf(spec: WinogradForwardSpec): number {
  return forwardTileBlock(wholeConvolution(spec));
}

/** Floats from one of the matrices of transformed weights to the next. */
export function weightSlab(spec: WinogradForwardSpec): number {
  return transformedSlab(wholeConvolution(spec), 'forward');
}

/** Elements from the first one that is read to the last one. */
function weightSpan(spec: WinogradForwardSpec): number {
  return (tileArea(spec.outputTile) - 1) * weightSlab(spec) + transformedSlab(spec.geometry, 'forward');
}

/** Elements of scratch: V and M of one block. */
export function scratchLength(spec: WinogradForwardSpec): number {
  const { geometry: g, outputTile } = spec;
  const block = blockOf(spec);
  const elements = forwardSlab(g.inChannels, block).element + forwardSlab(g.outChannels, block).element;
  return tileArea(outputTile) * elements;
}

const f = Math.fround;

export const winogradForward: KernelFamily<WinogradForwardSpec> = {
  kind: 'winogradForward',
  args: (spec) => [
    f32Buffer('input', 'in', (count) => viewSpan(spec.input, count), viewLead(spec.input)),
    f32Buffer('weight', 'in', () => weightSpan(spec)),
    ...(spec.bias ? [f32Buffer('bias', 'in', () => spec.geometry.outChannels)] : []),
    ...(spec.gate ? [viewBuffer('gate', 'in', spec.gate)] : []),
    f32Buffer('scratch', 'scratch', () => scratchLength(spec)),
    f32Buffer(
      'output',
      spec.accumulate ? 'inout' : 'out',
      (count) => viewSpan(spec.output, count),
      viewLead(spec.output),
    ),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkSpec(spec);
    const { geometry: g, outputTile, input, output } = spec;
    const [rows, columns] = tileGrid(g, outputTile);
    const tiles = rows * columns;
    const most = blockOf(spec);
    const program = stepProgram(winogradMatrices(outputTile).inputMatrix);
    const transformInput = bindTiles(f32, input, program, {
      columns,
      tileStep: outputTile,
      padding: g.padding,
      block: most,
    });
    const multiply = bindProducts(spec, f32);
    const transformOutput = bindOutput(spec, f32);
    const gateStride = spec.gate?.imageStride ?? 0;
    return (...args) => {
      const [inputAt, weightAt, ...rest] = args.map((byte) => byte >>> 2);
      const biasAt = spec.bias ? rest.shift()! : -1;
      const gateAt = spec.gate === undefined ? -1 : rest.shift()!;
      const [scratchAt, outputAt] = rest as [number, number];
      const count = args.at(-1)!;
      for (let n = 0; n < count; n++) {
        for (let first = 0; first < tiles; first += most) {
          const block = Math.min(most, tiles - first);
          transformInput(inputAt! + n * input.imageStride, scratchAt, first, block);
          multiply(weightAt!, scratchAt, block);
          const images = { output: outputAt + n * output.imageStride, gate: gateAt + n * gateStride };
          transformOutput(scratchAt, biasAt, images, first, block);
        }
      }
    };
  },
  flops({ geometry: g, outputTile }, count) {
    const [rows, columns] = tileGrid(g, outputTile);
    const { tile, inputMatrix, outputMatrix } = winogradMatrices(outputTile);
    const transforms =
      g.inChannels * nestedSteps(stepProgram(inputMatrix)) +
      g.outChannels * nestedSteps(stepProgram(outputMatrix));
    return count * rows * columns * (transforms + 2 * tile * tile * g.inChannels * g.outChannels);
  },
};

function checkSpec(spec: WinogradForwardSpec): void {
  const { geometry, input, output } = spec;
  checkWinogradGeometry('winogradForward', geometry);
  checkInputView('winogradForward', 'input', input, geometry, 0);
  checkOutputView('winogradForward', 'output', output, geometry, 0);
  checkAccumulation('winogradForward', spec);
  if (spec.gate !== undefined) checkSameImages('winogradForward', { output, gate: spec.gate });
}

/** Second pass: t*t matrix products, [block, C] by [C, K]. */
function bindProducts(spec: WinogradForwardSpec, f32: Float32Array) {
  const { geometry: g, outputTile } = spec;
  const elements = tileArea(outputTile);
  const layout = transformedLayout(g, 'forward');
  const slab = weightSlab(spec);
  const [inner, columns] = [wholeVectors(g.inChannels), wholeVectors(g.outChannels)];
  const most = blockOf(spec);
  const products = elements * most * inner;
  return (weightAt: number, scratchAt: number, block: number): void => {
    for (let e = 0; e < elements; e++) {
      for (let b = 0; b < block; b++) {
        const v = scratchAt + (e * most + b) * inner;
        const to = scratchAt + products + (e * most + b) * columns;
        for (let k = 0; k < columns; k++) {
          const width = panelWidth(layout.outputs, k);
          let u = weightAt + e * slab + panelStart(layout, 0, k);
          let sum = 0;
          for (let c = 0; c < g.inChannels; c++) {
            sum = f(sum + f(f32[v + c]! * f32[u]!));
            u += width;
          }
          f32[to + k] = sum;
        }
      }
    }
  };
}

/** Third pass: Y of `block` tiles to the output, through bias or what is held there, activation and gate. */
function bindOutput(spec: WinogradForwardSpec, f32: Float32Array) {
  const { geometry: g, outputTile, output, accumulate, activation, gate } = spec;
  const { tile, outputMatrix } = winogradMatrices(outputTile);
  const columns = tileGrid(g, outputTile)[1];
  const width = wholeVectors(g.outChannels);
  const most = blockOf(spec);
  const products = tile * tile * most * wholeVectors(g.inChannels);
  const nested = bindNested(stepProgram(outputMatrix));
  const m = new Float32Array(tile * tile);
  const y = new Float32Array(outputTile * outputTile);
  type Images = { readonly output: number; readonly gate: number };
  return (scratchAt: number, biasAt: number, images: Images, first: number, block: number): void => {
    for (let b = 0; b < block; b++) {
      const top = Math.floor((first + b) / columns) * outputTile;
      const left = ((first + b) % columns) * outputTile;
      for (let k = 0; k < g.outChannels; k++) {
        const from = scratchAt + products + b * width + k;
        for (let e = 0; e < m.length; e++) m[e] = f32[from + e * most * width]!;
        nested(m, y);
        for (let i = 0; i < y.length; i++) {
          const row = top + Math.floor(i / outputTile);
          const column = left + (i % outputTile);
          if (row >= g.outHeight || column >= g.outWidth) continue;
          const to = images.output + row * output.rowStride + column * output.pixelStride + k;
          let value = y[i]!;
          if (accumulate) value = f(value + f32[to]!);
          else if (biasAt >= 0) value = f(value + f32[biasAt + k]!);
          if (activation === 'relu' && value < 0) value = 0;
          if (gate !== undefined) {
            const at = images.gate + row * gate.rowStride + column * gate.pixelStride + k;
            value = passGate(f32[at]!, value);
          }
          f32[to] = value;
        }
      }
    }
  };
}
