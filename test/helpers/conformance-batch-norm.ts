/**
 * The oracle of batch normalisation, in f64, with running bounds of what f32 makes of it. Statistics are sums of f64,
 * so their own error is far below f32's: at most 2^-43 of the largest square of a channel for up to 2^8 numbers, which
 * is derived from gamma(n) in f64; mean, inverse and scale are then rounded to f32 and carry that error on.
 */
import type { BatchNormalizationConfig } from '../../src/layers/batch-normalization.ts';
import type { BoundedValues } from './conformance-bounds.ts';
import type { LayerGradients, LayerOracle, LayerProblem } from './conformance-oracle.ts';
import type { Values } from './oracle.ts';
import { add, type Bounded, multiply, rounded, subtract } from './running-error.ts';

/** One channel of one group: which elements it holds, and its exact statistics with their f32 bounds. */
interface ChannelSet {
  readonly channel: number;
  readonly elements: readonly number[];
  readonly mean: Bounded;
  readonly inverse: Bounded;
  readonly scale: Bounded;
}

/** Error of sums of up to 2^8 numbers in f64, relative to the sum of their sizes; with what is made of them. */
export const F64_STATISTICS = 2 ** -43;

/** Mean and 1 / sqrt(variance + epsilon) of a set of numbers, and what f32 makes of them. */
export function statisticsOf(values: readonly number[], epsilon: number) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  const largest = Math.max(...values.map(Math.abs));
  const moved = (F64_STATISTICS * 4 * largest * largest) / (variance + epsilon);
  const inverse = 1 / Math.sqrt(variance + epsilon);
  const exactInverse: Bounded = { value: inverse, error: inverse * moved };
  return {
    mean: widened(rounded(mean), F64_STATISTICS * largest),
    inverse: widened(rounded(inverse), exactInverse.error),
    /** Before it is rounded. */
    exactInverse,
  };
}

/** gamma times the inverse of a set, rounded once. */
export function scaleOf(gamma: number, { value, error }: Bounded): Bounded {
  return widened(rounded(gamma * value), Math.abs(gamma) * error);
}

/** The elements of each channel of each group of samples. */
function channelSets(problem: LayerProblem): ChannelSet[] {
  const { input, inputShape, count } = problem;
  const { ghostBatchSize = count, epsilon } = problem.config as BatchNormalizationConfig;
  const channels = inputShape.at(-1)!;
  const sets = new Map<number, number[]>();
  for (let i = 0; i < input.length; i++) {
    const sample = Math.floor((i * count) / input.length);
    const key = Math.floor(sample / ghostBatchSize) * channels + (i % channels);
    sets.set(key, [...(sets.get(key) ?? []), i]);
  }
  return [...sets].map(([key, elements]) => {
    const channel = key % channels;
    const values = elements.map((i) => input[i]!);
    const { mean, inverse, exactInverse } = statisticsOf(values, epsilon);
    const gamma = problem.parameters.gamma?.[channel] ?? 1;
    return { channel, elements, mean, inverse, scale: scaleOf(gamma, exactInverse) };
  });
}

export function widened({ value, error }: Bounded, by: number): Bounded {
  return { value, error: error + by };
}

const exact = (value: number): Bounded => ({ value, error: 0 });

function forward(problem: LayerProblem): BoundedValues {
  const { beta } = problem.parameters;
  const result = emptyLike(problem.input);
  for (const { channel, elements, mean, scale } of channelSets(problem)) {
    for (const i of elements) {
      const scaled = multiply(subtract(exact(problem.input[i]!), mean), scale);
      write(result, i, beta === undefined ? scaled : add(scaled, exact(beta[channel]!)));
    }
  }
  return result;
}

function backward(problem: LayerProblem, { values: gradOutput }: BoundedValues): LayerGradients {
  const { input, inputShape, parameters } = problem;
  const gradInput = emptyLike(input);
  const [gamma, beta] = [0, 1].map(() => emptyLike(new Float64Array(inputShape.at(-1)!)));
  for (const { channel, elements, mean, inverse, scale } of channelSets(problem)) {
    const [sum, product] = setSums(elements, input, gradOutput, mean, inverse);
    const meanOf = ({ value, error }: Bounded) =>
      widened(rounded(value / elements.length), error / elements.length);
    const [meanGradient, meanProduct] = [meanOf(sum), meanOf(product)];
    for (const i of elements) {
      const normalised = multiply(subtract(exact(input[i]!), mean), inverse);
      const centred = subtract(exact(gradOutput[i]!), meanGradient);
      write(gradInput, i, multiply(scale, subtract(centred, multiply(normalised, meanProduct))));
    }
    gamma!.values[channel]! += product.value;
    gamma!.bounds[channel]! += product.error + rounded(product.value).error;
    beta!.values[channel]! += sum.value;
    beta!.bounds[channel]! += sum.error + rounded(sum.value).error;
  }
  const own = { ...(parameters.gamma && { gamma: gamma! }), ...(parameters.beta && { beta: beta! }) };
  return { gradInput, parameters: own };
}

/** Sums over a set of dY, and of dY times the normalised input, before they are rounded to f32. */
function setSums(
  elements: readonly number[],
  input: Values,
  gradOutput: Values,
  mean: Bounded,
  inverse: Bounded,
): [Bounded, Bounded] {
  let [sum, product, size, distances] = [0, 0, 0, 0];
  for (const i of elements) {
    const g = gradOutput[i]!;
    sum += g;
    product += g * (input[i]! - mean.value);
    size += Math.abs(g);
    distances += Math.abs(g) * (Math.abs(input[i]! - mean.value) + mean.error);
  }
  const relative = F64_STATISTICS * distances + mean.error * size;
  return [
    { value: sum, error: F64_STATISTICS * size },
    {
      value: product * inverse.value,
      error: relative * (inverse.value + inverse.error) + Math.abs(product) * inverse.error,
    },
  ];
}

export function emptyLike({ length }: Values): BoundedValues {
  return { values: new Float64Array(length), bounds: new Float64Array(length) };
}

export function write({ values, bounds }: BoundedValues, i: number, { value, error }: Bounded): void {
  values[i] = value;
  bounds[i] = error;
}

/** By the moving averages, which are f32: inverse and scale are the only roundings before the formula. */
function inference({ config, input, inputShape, parameters }: LayerProblem): BoundedValues {
  const { epsilon } = config as BatchNormalizationConfig;
  const { gamma, beta, movingMean, movingVariance } = parameters;
  const channels = inputShape.at(-1)!;
  const result = emptyLike(input);
  for (let i = 0; i < input.length; i++) {
    const c = i % channels;
    const scale = rounded((gamma?.[c] ?? 1) / Math.sqrt(movingVariance![c]! + epsilon));
    const scaled = multiply(subtract(exact(input[i]!), exact(movingMean![c]!)), scale);
    write(result, i, beta === undefined ? scaled : add(scaled, exact(beta[c]!)));
  }
  return result;
}

export const batchNormalizationOracle: LayerOracle = { forward, backward, inference };
