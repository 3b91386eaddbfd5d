/** The oracles of layers that draw random numbers, each addressed by seed, layer name, step, sample and element. */
import { elementWord, normal, streamKey } from '../../src/math/random.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import { exactValues, roundingBound } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import type { Values } from './oracle.ts';

/**
 * Each element is multiplied by a known number of f32, 0 or 1 / (1 - rate), that of place `maskAt(element)` in its
 * sample: one product, rounded, so no bound is needed.
 */
function maskOracle(
  purpose: string,
  maskAt: (element: number, problem: LayerProblem) => number,
): LayerOracle {
  const masked = (problem: LayerProblem, values: Values): Float32Array => {
    const { rate } = problem.config as { rate: number };
    const { seed, step, name } = problem;
    const key = streamKey(seed, purpose, name);
    const length = elementCount(problem.inputShape);
    return Float32Array.from(values, (value, i) => {
      const word = elementWord(key, maskAt(i % length, problem), Math.floor(i / length), step);
      return value * (word >= Math.floor(rate * 2 ** 32) ? Math.fround(1 / (1 - rate)) : 0);
    });
  };
  return {
    forward: (problem) => exactValues(masked(problem, problem.input)),
    backward: (problem, gradOutput) => ({
      gradInput: exactValues(masked(problem, gradOutput.values)),
      parameters: {},
    }),
  };
}

export const dropoutOracle = maskOracle('dropout', (element) => element);

export const spatialDropout2dOracle = maskOracle(
  'spatialDropout',
  (element, { inputShape }) => element % inputShape[2]!,
);

export const stochasticDepthOracle = maskOracle('stochasticDepth', () => 0);

/** The deviate is known to f64, so a sum is rounded once. */
export const gaussianNoiseOracle: LayerOracle = {
  forward({ config, input, inputShape, seed, step, name }) {
    const { stddev } = config as { stddev: number };
    const key = streamKey(seed, 'gaussianNoise', name);
    const length = elementCount(inputShape);
    const values = Float64Array.from(
      input,
      (x, i) => x + stddev * normal(key, i % length, Math.floor(i / length), step),
    );
    return { values, bounds: values.map((value) => roundingBound(Math.abs(value))) };
  },
  backward: (_problem, gradOutput) => ({ gradInput: gradOutput, parameters: {} }),
};
