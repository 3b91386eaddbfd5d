/** The three passes of a dense layer on plain arrays: samples in rows, weights [in, out]. */
import type { FusedActivation } from '../../src/kernels/conv2d-quad.ts';
import { denseForward } from '../../src/kernels/dense-forward.ts';
import { denseInputGradient } from '../../src/kernels/dense-input-gradient.ts';
import { packDense, vectorView } from '../../src/kernels/dense-pack.ts';
import { denseWeightGradient } from '../../src/kernels/dense-weight-gradient.ts';
import type { Values } from './oracle.ts';
import type { DenseShape } from './oracle-dense.ts';
import { runKernel } from './run-kernel.ts';

/** How the samples lie in memory. */
export interface DenseLayout {
  readonly count: number;
  /** Floats between the end of one sample and the next; default 0. */
  readonly gap?: number;
}

/** The scalar kernels for one shape. */
export function densePasses(shape: DenseShape, { count, gap = 0 }: DenseLayout) {
  const { inFeatures, outFeatures } = shape;
  const [inputStride, outputStride] = [inFeatures + gap, outFeatures + gap];
  const [inputs, outputs] = [vectorView(inFeatures, inputStride), vectorView(outFeatures, outputStride)];
  const pack = (weight: Values, pass: 'forward' | 'inputGradient') =>
    runKernel(packDense, { kind: 'packDense', ...shape, pass }, { weight }).packed!;
  return {
    /** Output [count, out]. */
    forward(input: Values, weight: Values, { bias, activation = 'linear' }: ForwardOptions = {}) {
      const fused = { bias: bias !== undefined, activation };
      return runKernel(
        denseForward,
        { kind: 'denseForward', ...shape, inputStride, outputStride, ...fused },
        { input, weight: pack(weight, 'forward'), ...(bias && { bias }) },
        { count, views: { input: inputs, output: outputs } },
      ).output as Float32Array;
    },
    /** Gradient of the input, [count, in]. */
    inputGradient(gradOutput: Values, weight: Values, onto?: Values) {
      const strides = { gradOutputStride: outputStride, gradInputStride: inputStride };
      return runKernel(
        denseInputGradient,
        { kind: 'denseInputGradient', ...shape, ...strides, accumulate: onto !== undefined },
        { gradOutput, weight: pack(weight, 'inputGradient'), ...(onto && { gradInput: onto }) },
        { count, views: { gradOutput: outputs, gradInput: inputs } },
      ).gradInput as Float32Array;
    },
    /** Gradient of the weights, rows `rowStart` to `rowStart + rowCount - 1` of [in, out]; `held` is there before. */
    weightGradient(input: Values, gradOutput: Values, options: WeightGradientOptions = {}) {
      const { rowStart = 0, rowCount = inFeatures, accumulate = false, held } = options;
      const strides = { inputStride, gradOutputStride: outputStride };
      return runKernel(
        denseWeightGradient,
        { kind: 'denseWeightGradient', ...shape, ...strides, accumulate },
        { input, gradOutput, ...(held && { gradWeight: held }) },
        { count, literals: { rowStart, rowCount }, views: { input: inputs, gradOutput: outputs } },
      ).gradWeight as Float32Array;
    },
  };
}

/** What may follow the product. */
interface ForwardOptions {
  readonly bias?: Values;
  readonly activation?: FusedActivation;
}

/** Which rows to compute, and what the buffer holds before. */
interface WeightGradientOptions {
  readonly rowStart?: number;
  readonly rowCount?: number;
  readonly accumulate?: boolean;
  readonly held?: Values;
}
