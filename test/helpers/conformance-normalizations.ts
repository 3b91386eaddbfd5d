/**
 * The oracles of group and layer normalisation, in f64, with running bounds of what f32 makes of it. Statistics and sums
 * are of f64, rounded once; a shard's gradients of parameters are rounded once, too, and then summed in f32.
 */
import type { GroupNormalizationConfig } from '../../src/layers/group-normalization.ts';
import type { LayerNormalizationConfig } from '../../src/layers/layer-normalization.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import {
  emptyLike,
  F64_STATISTICS,
  scaleOf,
  statisticsOf,
  widened,
  write,
} from './conformance-batch-norm.ts';
import type { BoundedValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { add, type Bounded, multiply, rounded, subtract } from './running-error.ts';
import { roundoffBounds } from './tolerance.ts';

/** How a layer cuts its samples, and how its formulas are rounded. */
interface Normalizing {
  /** Which set of its sample an element belongs to. */
  setOf(problem: LayerProblem, element: number): number;
  /** Elements of gamma and beta. */
  parameters(problem: LayerProblem): number;
  normalized(x: Bounded, statistics: Statistics, gamma: number | undefined): Bounded;
  /** dX from h = gamma dY, and the means of h and of h v, v the normalised input. */
  gradient(of: {
    gradOutput: Bounded;
    gamma: number | undefined;
    v: Bounded;
    means: readonly [Bounded, Bounded];
    statistics: Statistics;
  }): Bounded;
}

type Statistics = ReturnType<typeof statisticsOf>;

const exact = (value: number): Bounded => ({ value, error: 0 });

/** The elements of each set of each sample. */
function setsOf(problem: LayerProblem, setOf: Normalizing['setOf']): number[][] {
  const length = elementCount(problem.inputShape);
  const sets = new Map<string, number[]>();
  for (let i = 0; i < problem.input.length; i++) {
    const key = `${Math.floor(i / length)}/${setOf(problem, i % length)}`;
    const found = sets.get(key) ?? [];
    found.push(i);
    sets.set(key, found);
  }
  return [...sets.values()];
}

function oracleOf(kind: Normalizing): LayerOracle {
  const statisticsIn = (problem: LayerProblem, elements: readonly number[]) =>
    statisticsOf(
      elements.map((i) => problem.input[i]!),
      (problem.config as { epsilon: number }).epsilon,
    );
  const forward = (problem: LayerProblem): BoundedValues => {
    const { input, parameters } = problem;
    const size = kind.parameters(problem);
    const result = emptyLike(input);
    for (const elements of setsOf(problem, kind.setOf)) {
      const statistics = statisticsIn(problem, elements);
      for (const i of elements) {
        const y = kind.normalized(exact(input[i]!), statistics, parameters.gamma?.[i % size]);
        write(result, i, parameters.beta === undefined ? y : add(y, exact(parameters.beta[i % size]!)));
      }
    }
    return result;
  };
  return {
    forward,
    backward(problem, { values: gradOutput }) {
      const { input, parameters, count } = problem;
      const size = kind.parameters(problem);
      const gradInput = emptyLike(input);
      const sums = [0, 1].map(() => ({
        values: new Float64Array(size),
        errors: new Float64Array(size),
        magnitudes: new Float64Array(size),
      }));
      for (const elements of setsOf(problem, kind.setOf)) {
        const statistics = statisticsIn(problem, elements);
        const vs = elements.map((i) =>
          multiply(subtract(exact(input[i]!), statistics.mean), statistics.inverse),
        );
        const means = setMeans(problem, elements, gradOutput, vs, statistics, size);
        elements.forEach((i, at) => {
          const gamma = parameters.gamma?.[i % size];
          const v = vs[at]!;
          const own = { gradOutput: exact(gradOutput[i]!), gamma, v, means, statistics };
          write(gradInput, i, kind.gradient(own));
          const g = Math.abs(gradOutput[i]!);
          const [scale, shift] = sums as [(typeof sums)[0], (typeof sums)[0]];
          scale.values[i % size]! += gradOutput[i]! * v.value;
          scale.errors[i % size]! += g * v.error + F64_STATISTICS * g * (Math.abs(v.value) + v.error);
          scale.magnitudes[i % size]! += g * (Math.abs(v.value) + v.error);
          shift.values[i % size]! += gradOutput[i]!;
          shift.errors[i % size]! += F64_STATISTICS * g;
          shift.magnitudes[i % size]! += g;
        });
      }
      // At most a shard a sample, each rounded once, and as many sums.
      const [gamma, beta] = sums.map(({ values, errors, magnitudes }) => ({
        values,
        bounds: roundoffBounds(count + 1, magnitudes).map((bound, i) => bound + errors[i]!),
      }));
      const own = { ...(parameters.gamma && { gamma: gamma! }), ...(parameters.beta && { beta: beta! }) };
      return { gradInput, parameters: own };
    },
  };
}

/** The means over a set of h = gamma dY, and of h v, each rounded to f32. */
function setMeans(
  { parameters }: LayerProblem,
  elements: readonly number[],
  gradOutput: Float64Array,
  vs: readonly Bounded[],
  { inverse, mean }: Statistics,
  size: number,
): readonly [Bounded, Bounded] {
  let [sum, product, sumError, productError] = [0, 0, 0, 0];
  elements.forEach((i, at) => {
    const h = gradOutput[i]! * (parameters.gamma?.[i % size] ?? 1);
    const v = vs[at]!;
    sum += h;
    product += h * v.value;
    sumError += F64_STATISTICS * Math.abs(h);
    // Whether v is rounded before the sum or its factors are: the error of v covers both.
    const spread = Math.abs(h) * (mean.error * inverse.value + Math.abs(v.value) * F64_STATISTICS);
    productError += Math.abs(h) * v.error + spread;
  });
  const meanOf = (value: number, error: number) =>
    widened(rounded(value / elements.length), error / elements.length);
  return [meanOf(sum, sumError), meanOf(product, productError)];
}

export const groupNormalizationOracle = oracleOf({
  setOf({ config, inputShape }, element) {
    const channels = inputShape.at(-1)!;
    const { groups } = config as GroupNormalizationConfig;
    const size = groups === -1 ? 1 : channels / groups;
    return Math.floor((element % channels) / size);
  },
  parameters: ({ inputShape }) => inputShape.at(-1)!,
  normalized: (x, { mean, exactInverse }, gamma = 1) =>
    multiply(subtract(x, mean), scaleOf(gamma, exactInverse)),
  gradient({ gradOutput, gamma = 1, v, means: [m, k], statistics }) {
    const own = multiply(scaleOf(gamma, statistics.exactInverse), gradOutput);
    return subtract(own, multiply(statistics.inverse, add(m, multiply(v, k))));
  },
});

export const layerNormalizationOracle = oracleOf({
  setOf({ config, inputShape }, element) {
    if ((config as LayerNormalizationConfig).axis !== -1) return 0;
    return Math.floor(element / inputShape.at(-1)!);
  },
  parameters: ({ config, inputShape }) =>
    (config as LayerNormalizationConfig).axis === -1 ? inputShape.at(-1)! : elementCount(inputShape),
  normalized(x, { mean, inverse }, gamma) {
    const v = multiply(subtract(x, mean), inverse);
    return gamma === undefined ? v : multiply(v, exact(gamma));
  },
  gradient({ gradOutput, gamma, v, means: [m, k], statistics }) {
    const h = gamma === undefined ? gradOutput : multiply(exact(gamma), gradOutput);
    return multiply(statistics.inverse, subtract(subtract(h, m), multiply(v, k)));
  },
});
