/**
 * Transforms 3x3 weights for the Winograd kernels: U = G g G^T, once per update of the weights.
 *
 *   weight       HWIO [3, 3, C, K]
 *   transformed  [t*t][panel of 16 outputs][inner channel][width], t = outputTile + 2; a line between the matrices
 *
 * Panels are those of conv2d-pack.ts: the last is as wide as the outputs left, rounded up to a multiple
 * of 4, its padding lanes zero. As there,
 *
 *   'forward'        outputs K, inner C, taps in order
 *   'inputGradient'  outputs C, inner K, taps in reverse
 *
 * and with `flip`, `weight` holds a true convolution's weights (taps in reverse once more).
 *
 * Order, all in f32: `weightMatrix` by the steps of winograd-steps.ts, down the columns of g, then along
 * the rows; then one division by the product of the row's and the column's divisor, which is exact in f32.
 */
import { type ConvGeometry, weightCount } from '../tensor/convolution.ts';
import {
  type PackPass,
  type PanelLayout,
  panelLayout,
  panelledLength,
  panelStart,
  panelWidth,
} from './conv2d-pack.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkWinogradGeometry, LINE_FLOATS, tileArea } from './winograd-geometry.ts';
import { bindNested, stepProgram } from './winograd-steps.ts';
import { type OutputTile, type WinogradMatrices, winogradMatrices } from './winograd-transforms.ts';

export interface WinogradWeightsSpec {
  readonly kind: 'winogradWeights';
  /** The forward pass's geometry, in both passes: 3x3, stride, dilation and groups 1. */
  readonly geometry: ConvGeometry;
  readonly outputTile: OutputTile;
  readonly pass: PackPass;
  /** Whether the stored weights are a true convolution's. */
  readonly flip: boolean;
}

/** Layout of one of the t*t matrices of transformed weights. */
export function transformedLayout(g: ConvGeometry, pass: PackPass): PanelLayout {
  return { ...panelLayout(g, pass), taps: 1 };
}

/**
 * Floats from one of the t*t matrices to the next: a line lies between them. All of them are written at once, and sizes
 * that are powers of 2 would put them all into a few sets of the caches.
 */
export function transformedSlab(g: ConvGeometry, pass: PackPass): number {
  return panelledLength(transformedLayout(g, pass)) + LINE_FLOATS;
}

/** Elements of transformed weights, what lies between the matrices included. */
export function transformedLength(g: ConvGeometry, outputTile: OutputTile, pass: PackPass): number {
  return tileArea(outputTile) * transformedSlab(g, pass);
}

/** What element (i, j) of a transformed tile is divided by, [t*t] row-major. */
export function tileDivisors({ weightDivisors }: WinogradMatrices): number[] {
  return weightDivisors.flatMap((row) => weightDivisors.map((column) => row * column));
}

const f = Math.fround;

export const winogradWeights: KernelFamily<WinogradWeightsSpec> = {
  kind: 'winogradWeights',
  args: ({ geometry, outputTile, pass }) => [
    f32Buffer('weight', 'in', () => weightCount(geometry)),
    f32Buffer('transformed', 'out', () => transformedLength(geometry, outputTile, pass)),
  ],
  bind(spec, { f32 }) {
    const { geometry: g, outputTile, pass, flip } = spec;
    checkWinogradGeometry('winogradWeights', g);
    const layout = transformedLayout(g, pass);
    const slab = transformedSlab(g, pass);
    const forward = pass === 'forward';
    const transform = bindTransform(winogradMatrices(outputTile), forward === flip);
    return (weightBytes, transformedBytes) => {
      const transformed = transformedBytes! >>> 2;
      for (let at = transformed, e = 0; e < tileArea(outputTile); e++, at += slab) {
        f32.fill(0, at, at + panelledLength(layout));
      }
      for (let output = 0; output < layout.outputs; output++) {
        const column = transformed + panelStart(layout, 0, output);
        const width = panelWidth(layout.outputs, output);
        for (let i = 0; i < layout.inner; i++) {
          const [c, k] = forward ? [i, output] : [output, i];
          const from = (weightBytes! >>> 2) + c * g.outChannels + k;
          transform(f32, from, g.inChannels * g.outChannels, column + i * width, slab);
        }
      }
    };
  },
};

/** U of one pair of channels: reads taps `fromStep` elements apart, writes tile elements `toStep` apart. */
function bindTransform(matrices: WinogradMatrices, reverse: boolean) {
  const nested = bindNested(stepProgram(matrices.weightMatrix));
  const divisors = tileDivisors(matrices);
  const taps = new Float32Array(matrices.taps * matrices.taps);
  const tile = new Float32Array(divisors.length);
  return (f32: Float32Array, from: number, fromStep: number, to: number, toStep: number): void => {
    for (let tap = 0; tap < taps.length; tap++) {
      taps[reverse ? taps.length - 1 - tap : tap] = f32[from + tap * fromStep]!;
    }
    nested(taps, tile);
    for (let e = 0; e < tile.length; e++) f32[to + e * toStep] = f(tile[e]! / divisors[e]!);
  };
}
