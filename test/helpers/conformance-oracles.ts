/**
 * The oracles by layer type, one for each of the registry. A layer of a user's own without one is still held to
 * everything else that the harness checks, its gradients to central differences of its own forward pass.
 */
import { type PoolOptions, poolOutputSize, poolWindow } from '../../src/tensor/pooling.ts';
import { activate, activationGradient, softmax, softmaxGradient } from './conformance-activations.ts';
import { batchNormalizationOracle } from './conformance-batch-norm.ts';
import { type BoundedValues, exactValues, linearResult, roundingBound } from './conformance-bounds.ts';
import { locallyConnectedOracle } from './conformance-local.ts';
import { localResponseNormalizationOracle } from './conformance-local-response.ts';
import { addOracle, concatenateOracle } from './conformance-merging.ts';
import { averageOracle, maximumOracle, multiplyOracle } from './conformance-merging-elements.ts';
import {
  dropoutOracle,
  gaussianNoiseOracle,
  spatialDropout2dOracle,
  stochasticDepthOracle,
} from './conformance-noise.ts';
import { groupNormalizationOracle, layerNormalizationOracle } from './conformance-normalizations.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { lpPoolingOracle, weightedPoolingOracle } from './conformance-poolings.ts';
import { depthwiseConv2dOracle, separableConv2dOracle } from './conformance-separable.ts';
import { sequenceOracles } from './conformance-sequences.ts';
import { identityShortcutOracle } from './conformance-shortcut.ts';
import { spatialOracles } from './conformance-spatial.ts';
import { conv2dOracle, conv2dTransposeOracle, denseOracle } from './conformance-weights.ts';
import { channelSums, type Values } from './oracle.ts';
import {
  averagePool,
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  type PoolGeometry,
} from './oracle-pool.ts';

interface ActivationConfig {
  readonly function: string;
  readonly alpha: number;
}

const activationOracle: LayerOracle = {
  forward({ config, outputShape, input }) {
    const { function: name, alpha } = config as ActivationConfig;
    if (name === 'softmax') return softmax(outputShape.at(-1)!, exactValues(input));
    return activate(name, alpha, exactValues(input));
  },
  backward({ config, outputShape, input }, gradOutput) {
    const { function: name, alpha } = config as ActivationConfig;
    const x = exactValues(input);
    const gradInput =
      name === 'softmax'
        ? softmaxGradient(outputShape.at(-1)!, x, gradOutput)
        : activationGradient(name, alpha, x, gradOutput);
    return { gradInput, parameters: {} };
  },
};

function poolingOf({ config, inputShape }: LayerProblem, options = config as PoolOptions): PoolGeometry {
  const [inHeight, inWidth, inChannels] = inputShape as [number, number, number];
  const window = poolWindow('oracle', inputShape, options);
  const [outHeight, outWidth] = poolOutputSize(window, inHeight, inWidth);
  return {
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    kernelHeight: window.height,
    kernelWidth: window.width,
    strideY: window.strideY,
    strideX: window.strideX,
    dilationY: 1,
    dilationX: 1,
    padding: window.padding,
  };
}

/** The most windows that a pixel lies in. */
function coverage(g: PoolGeometry): number {
  return Math.ceil(g.kernelHeight / g.strideY) * Math.ceil(g.kernelWidth / g.strideX);
}

function maxPoolingOracleOf(windowOf: (problem: LayerProblem) => PoolGeometry): LayerOracle {
  return {
    forward: (problem) => exactValues(maxPool(windowOf(problem), problem.input, problem.count).output),
    backward(problem, gradOutput) {
      const g = windowOf(problem);
      const spread = (dy: Values) => maxPoolGradient(g, problem.input, dy, problem.count);
      return { gradInput: linearResult(coverage(g), gradOutput, spread, spread), parameters: {} };
    },
  };
}

/** One window, the image itself. */
function wholeImage(problem: LayerProblem): PoolGeometry {
  const [height, width] = problem.inputShape as [number, number];
  return poolingOf(problem, { poolSize: [height, width] });
}

const averagePoolingOracle: LayerOracle = {
  // Divisible by every number of taps in a window of up to 4 x 4.
  exactUnit: () => 144,
  forward(problem) {
    const g = poolingOf(problem);
    const { countPadding } = problem.config as { countPadding: boolean };
    const mean = (x: Values) => averagePool(g, x, problem.count, countPadding);
    return linearResult(g.kernelHeight * g.kernelWidth, exactValues(problem.input), mean, mean);
  },
  backward(problem, gradOutput) {
    const g = poolingOf(problem);
    const { countPadding } = problem.config as { countPadding: boolean };
    const spread = (dy: Values) => averagePoolGradient(g, dy, problem.count, countPadding);
    return { gradInput: linearResult(coverage(g), gradOutput, spread, spread), parameters: {} };
  },
};

/** Average pooling with one window, the image itself. */
const globalAveragePoolingOracle: LayerOracle = {
  exactUnit: ({ inputShape: [height, width] }) => height! * width!,
  forward(problem) {
    const g = wholeImage(problem);
    const mean = (x: Values) => averagePool(g, x, problem.count, false);
    return linearResult(g.inHeight * g.inWidth, exactValues(problem.input), mean, mean);
  },
  backward(problem, gradOutput) {
    const g = wholeImage(problem);
    const spread = (dy: Values) => averagePoolGradient(g, dy, problem.count, false);
    return { gradInput: linearResult(1, gradOutput, spread, spread), parameters: {} };
  },
};

const preluOracle: LayerOracle = {
  forward: ({ input, parameters: { alpha } }) => preluScaled(input, exactValues(input), alpha!),
  backward({ input, parameters: { alpha } }, gradOutput) {
    const channels = alpha!.length;
    const below = (dy: Values) => Float64Array.from(dy, (g, i) => (input[i]! > 0 ? 0 : input[i]! * g));
    const sums = (dy: Values) => channelSums(below(dy), channels);
    const magnitudes = (dy: Values) => channelSums(below(dy).map(Math.abs), channels);
    return {
      gradInput: preluScaled(input, gradOutput, alpha!),
      parameters: { alpha: linearResult(input.length / channels, gradOutput, sums, magnitudes) },
    };
  },
};

/** `values`, times alpha where the input is negative, rounded there. */
function preluScaled(input: Values, { values, bounds }: BoundedValues, alpha: Values): BoundedValues {
  const slope = (i: number) => (input[i]! > 0 ? 1 : alpha[i % alpha.length]!);
  const scaled = values.map((value, i) => slope(i) * value);
  return {
    values: scaled,
    bounds: bounds.map((bound, i) => {
      const passed = Math.abs(slope(i)) * bound;
      return input[i]! > 0 ? bound : passed + roundingBound(Math.abs(scaled[i]!) + passed);
    }),
  };
}

const identityOracle: LayerOracle = {
  exactUnit: () => 1,
  forward: ({ input }) => exactValues(input),
  backward: (_problem, gradOutput) => ({ gradInput: gradOutput, parameters: {} }),
};

/** By the type of the layer. */
export const oracles: Readonly<Record<string, LayerOracle>> = {
  activation: activationOracle,
  add: addOracle,
  average: averageOracle,
  averagePooling2d: averagePoolingOracle,
  batchNormalization: batchNormalizationOracle,
  concatenate: concatenateOracle,
  conv2d: conv2dOracle,
  conv2dTranspose: conv2dTransposeOracle,
  dense: denseOracle,
  depthwiseConv2d: depthwiseConv2dOracle,
  dropout: dropoutOracle,
  flatten: identityOracle,
  gaussianNoise: gaussianNoiseOracle,
  globalAveragePooling2d: globalAveragePoolingOracle,
  globalMaxPooling2d: maxPoolingOracleOf(wholeImage),
  groupNormalization: groupNormalizationOracle,
  identityShortcut: identityShortcutOracle,
  layerNormalization: layerNormalizationOracle,
  localResponseNormalization: localResponseNormalizationOracle,
  locallyConnected1d: locallyConnectedOracle,
  locallyConnected2d: locallyConnectedOracle,
  lpPooling2d: lpPoolingOracle,
  maximum: maximumOracle,
  maxPooling2d: maxPoolingOracleOf((problem) => poolingOf(problem)),
  multiply: multiplyOracle,
  prelu: preluOracle,
  separableConv2d: separableConv2dOracle,
  spatialDropout2d: spatialDropout2dOracle,
  stochasticDepth: stochasticDepthOracle,
  weightedPooling2d: weightedPoolingOracle,
  ...sequenceOracles({
    averagePooling2d: averagePoolingOracle,
    conv2d: conv2dOracle,
    conv2dTranspose: conv2dTransposeOracle,
    globalAveragePooling2d: globalAveragePoolingOracle,
    globalMaxPooling2d: maxPoolingOracleOf(wholeImage),
    maxPooling2d: maxPoolingOracleOf((problem) => poolingOf(problem)),
  }),
  ...spatialOracles,
};
