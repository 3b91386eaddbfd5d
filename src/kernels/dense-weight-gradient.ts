/**
 * The gradient of a dense layer with respect to its weights, a range of rows (input features) at a time,
 * so that several workers can share one layer.
 *
 *   input       [n, in], samples `inputStride` elements apart
 *   gradOutput  [n, out], samples `gradOutputStride` elements apart
 *   gradWeight  plain [in, out]; only rows rowStart to rowStart+rowCount-1 are written
 *
 *   gradWeight[c, k] = start + sum over n of input[n, c] * gradOutput[n, k]
 *
 * Order: the sum starts at +0, or where `accumulate` at the value gradWeight holds, then n ascending; every
 * product and every sum is rounded to f32. All pointers are to row 0, whatever `rowStart` is.
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface DenseWeightGradientSpec {
  readonly kind: 'denseWeightGradient';
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Elements from one sample to the next. */
  readonly inputStride: number;
  readonly gradOutputStride: number;
  /** Whether the result is added to what gradWeight holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const denseWeightGradient: KernelFamily<DenseWeightGradientSpec> = {
  kind: 'denseWeightGradient',
  args: ({ inFeatures, outFeatures, inputStride, gradOutputStride, accumulate }) => [
    f32Buffer('input', 'in', (count) => vectorSpan(inFeatures, inputStride, count)),
    f32Buffer('gradOutput', 'in', (count) => vectorSpan(outFeatures, gradOutputStride, count)),
    // Rows outside the range keep their values, so even a plain write leaves the buffer part old.
    f32Buffer('gradWeight', accumulate ? 'inout' : 'out', () => inFeatures * outFeatures),
    { name: 'rowStart', access: 'literal' },
    { name: 'rowCount', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind({ outFeatures, inputStride, gradOutputStride, accumulate }, { f32 }) {
    return (inputBytes, gradOutputBytes, gradWeightBytes, rowStart, rowCount, count) => {
      const gradOutput = gradOutputBytes! >>> 2;
      for (let c = rowStart!; c < rowStart! + rowCount!; c++) {
        const input = (inputBytes! >>> 2) + c;
        const row = (gradWeightBytes! >>> 2) + c * outFeatures;
        if (!accumulate) f32.fill(0, row, row + outFeatures);
        for (let n = 0; n < count!; n++) {
          const x = f32[input + n * inputStride]!;
          const from = gradOutput + n * gradOutputStride;
          for (let k = 0; k < outFeatures; k++) f32[row + k] = f(f32[row + k]! + f(x * f32[from + k]!));
        }
      }
    };
  },
  flops: (spec, count) => 2 * count * spec.inFeatures * spec.outFeatures,
};

function vectorSpan(features: number, stride: number, count: number): number {
  return count === 0 ? 0 : (count - 1) * stride + features;
}
