/**
 * The oracle of local response normalisation: everything is f64 up to one rounding, so the bound is that rounding and a
 * relative error of the f64 terms, of 2^-44: sums of up to 13 squares and a power up to 2.
 */
import type { LocalResponse } from '../../src/kernels/local-response.ts';
import { roundingBound } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';

const F64_TERMS = 2 ** -44;

/** Calls `body` with each element and the elements around it in its pixel. */
function forEachElement(
  { config, input, inputShape }: LayerProblem,
  body: (i: number, around: readonly number[]) => void,
): void {
  const channels = inputShape[2]!;
  const { depthRadius } = config as LocalResponse;
  for (let i = 0; i < input.length; i++) {
    const c = i % channels;
    const from = Math.max(0, c - depthRadius);
    const to = Math.min(channels - 1, c + depthRadius);
    body(
      i,
      Array.from({ length: to - from + 1 }, (_, k) => i - c + from + k),
    );
  }
}

function basesOf(problem: LayerProblem): Float64Array {
  const { bias, alpha } = problem.config as LocalResponse;
  const bases = new Float64Array(problem.input.length);
  forEachElement(problem, (i, around) => {
    bases[i] = bias + alpha * around.reduce((sum, j) => sum + problem.input[j]! ** 2, 0);
  });
  return bases;
}

export const localResponseNormalizationOracle: LayerOracle = {
  forward(problem) {
    const { beta } = problem.config as LocalResponse;
    const values = basesOf(problem).map((base, i) => problem.input[i]! * base ** -beta);
    return { values, bounds: values.map((y) => roundingBound(Math.abs(y)) + F64_TERMS * Math.abs(y)) };
  },
  backward(problem, { values: gradOutput }) {
    const { input } = problem;
    const { alpha, beta } = problem.config as LocalResponse;
    const bases = basesOf(problem);
    const ratios = bases.map((base, i) => gradOutput[i]! * input[i]! * base ** (-beta - 1));
    const values = new Float64Array(input.length);
    const bounds = new Float64Array(input.length);
    forEachElement(problem, (i, around) => {
      const own = gradOutput[i]! * bases[i]! ** -beta;
      const slope = 2 * alpha * beta * input[i]!;
      values[i] = own - slope * around.reduce((sum, j) => sum + ratios[j]!, 0);
      const size = Math.abs(own) + Math.abs(slope) * around.reduce((sum, j) => sum + Math.abs(ratios[j]!), 0);
      bounds[i] = roundingBound(Math.abs(values[i]!)) + F64_TERMS * size;
    });
    return { gradInput: { values, bounds }, parameters: {} };
  },
};
