/** The oracles of Lp pooling and of pooling with a weighted mean. */
import { type ConvOptions, convGeometry } from '../../src/tensor/convolution.ts';
import { type PoolOptions, poolWindow } from '../../src/tensor/pooling.ts';
import { type BoundedValues, exactValues, largest, roundingBound } from './conformance-bounds.ts';
import type { LayerGradients, LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { passResult } from './conformance-weights.ts';
import { absolute, convWeightGradient, type Values } from './oracle.ts';
import { direct } from './oracle-checks.ts';
import { gamma } from './tolerance.ts';

/** Error of sums and powers in f64, relative. */
const F64_ERROR = 2 ** -46;

/** The input elements of each output element's window. */
function windowsOf({ config, inputShape, outputShape, count }: LayerProblem): readonly (readonly number[])[] {
  const [height, width, channels] = inputShape as [number, number, number];
  const [outHeight, outWidth] = outputShape as [number, number];
  const w = poolWindow('oracle', inputShape, config as PoolOptions);
  return Array.from({ length: count * outHeight * outWidth * channels }, (_, output) => {
    const pixel = Math.floor(output / channels);
    const [sample, ox] = [Math.floor(pixel / outWidth / outHeight), pixel % outWidth];
    const oy = Math.floor(pixel / outWidth) % outHeight;
    const inputs: number[] = [];
    for (let y = oy * w.strideY - w.padding.top; y < oy * w.strideY - w.padding.top + w.height; y++) {
      for (let x = ox * w.strideX - w.padding.left; x < ox * w.strideX - w.padding.left + w.width; x++) {
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        inputs.push(((sample * height + y) * width + x) * channels + (output % channels));
      }
    }
    return inputs;
  });
}

function normOf(input: Values, taps: readonly number[], p: number): number {
  return taps.reduce((sum, i) => sum + Math.abs(input[i]!) ** p, 0) ** (1 / p);
}

export const lpPoolingOracle: LayerOracle = {
  forward(problem) {
    const { p } = problem.config as { p: number };
    const values = Float64Array.from(windowsOf(problem), (taps) => normOf(problem.input, taps, p));
    return { values, bounds: values.map((y) => roundingBound(y) + F64_ERROR * y) };
  },
  backward(problem, gradOutput) {
    const { input, config } = problem;
    const { p } = config as { p: number };
    const [values, magnitudes] = [new Float64Array(input.length), new Float64Array(input.length)];
    const terms = new Int32Array(input.length);
    windowsOf(problem).forEach((taps, output) => {
      const y = normOf(input, taps, p);
      for (const i of taps) {
        terms[i]! += 1;
        const slope = y === 0 ? 0 : Math.sign(input[i]!) * (Math.abs(input[i]!) / y) ** (p - 1);
        values[i]! += gradOutput.values[output]! * slope;
        magnitudes[i]! += Math.abs(gradOutput.values[output]! * slope);
      }
    });
    // Each summand is rounded once, then the sums.
    const bounds = magnitudes.map((sum, i) => (gamma(terms[i]!) + F64_ERROR) * sum + terms[i]! * 2 ** -149);
    return { gradInput: { values, bounds }, parameters: {} };
  },
};

/** Shares [taps, C] in f64: a softmax of each channel's weights, or the given ones. */
function sharesOf({ config, inputShape, parameters }: LayerProblem): BoundedValues {
  const channels = inputShape[2]!;
  const { weights } = config as { weights: 'learned' | readonly (readonly number[])[] };
  if (weights !== 'learned') {
    const sum = weights.flat().reduce((a, b) => a + b, 0);
    return rounded(weights.flat().flatMap((weight) => Array<number>(channels).fill(weight / sum)));
  }
  const given = parameters.weight!;
  const sums = new Float64Array(channels);
  for (let i = 0; i < given.length; i++) sums[i % channels]! += Math.exp(given[i]!);
  return rounded(Array.from(given, (weight, i) => Math.exp(weight) / sums[i % channels]!));
}

function rounded(values: readonly number[]): BoundedValues {
  return {
    values: Float64Array.from(values),
    bounds: Float64Array.from(
      values,
      (value) => roundingBound(Math.abs(value)) + F64_ERROR * Math.abs(value),
    ),
  };
}

function passOf({ config, inputShape, count }: LayerProblem) {
  const channels = inputShape[2]!;
  const { poolSize, strides, padding } = config as Pick<ConvOptions, 'strides' | 'padding'> & {
    readonly poolSize: readonly [number, number];
  };
  const options = {
    filters: channels,
    groups: channels,
    kernelSize: poolSize,
    strides: strides!,
    padding: padding!,
  };
  return { geometry: convGeometry('oracle', inputShape, options), count, flip: false };
}

export const weightedPoolingOracle: LayerOracle = {
  forward(problem) {
    const pass = passOf(problem);
    const outputs = problem.outputShape.reduce((a, b) => a * b, problem.count);
    const zeros = new Float32Array(outputs);
    return passResult(direct, 'forward', pass, exactValues(problem.input), sharesOf(problem), zeros);
  },
  backward(problem, gradOutput): LayerGradients {
    const pass = passOf(problem);
    const { input, parameters, count } = problem;
    const shares = sharesOf(problem);
    const zeros = new Float32Array(input.length);
    const gradInput = passResult(direct, 'inputGradient', pass, gradOutput, shares, zeros);
    if (parameters.weight === undefined) return { gradInput, parameters: {} };
    const channels = problem.inputShape[2]!;
    const start = new Float32Array(shares.values.length);
    const gradShares = passResult(direct, 'weightGradient', pass, exactValues(input), gradOutput, start);
    const sizes = convWeightGradient(pass.geometry, absolute(input), largest(gradOutput), count);
    /** Element i of share (g - mean of g over the channel's shares), `subtract` being 1 for the sum of magnitudes. */
    const through = (g: Values, subtract: 1 | -1) =>
      Float64Array.from(shares.values, (share, i) => {
        let mean = 0;
        for (let s = i % channels; s < shares.values.length; s += channels) mean += shares.values[s]! * g[s]!;
        return share * (g[i]! + subtract * mean);
      });
    const passed = through(gradShares.bounds, 1);
    const magnitudes = through(sizes, 1);
    // One rounding in each shard, then the sum of the shards, of which there are at most `count`.
    const bounds = passed.map((e, i) => {
      return e + (gamma(count) + F64_ERROR) * (magnitudes[i]! + e) + count * 2 ** -149;
    });
    return { gradInput, parameters: { weight: { values: through(gradShares.values, -1), bounds } } };
  },
};
