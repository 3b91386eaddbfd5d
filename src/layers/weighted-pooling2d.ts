/**
 * Pooling with a weighted mean (the seed's section 2.2), of given weights or learned ones.
 *   input [H, W, C], output [Ho, Wo, C]; learned: weight [kh, kw, C]
 *   forward:  y_c = sum over the window of share_{ky,kx,c} x_c, the shares of a channel adding up to 1
 *   backward: as depthwiseConv2d; through the softmax dweight_t = share_t (dshare_t - sum over s of share_s dshare_s)
 * The shares are the given weights divided by their sum, or the softmax of the learned weights over the window: zeros,
 * with which they begin, are average pooling. A fixed [[1, 2, 1], [2, 4, 2], [1, 2, 1]] with strides is a blur before
 * subsampling (Zhang, "Making convolutional networks shift-invariant again", 2019). It is a depthwise convolution, so
 * the padding counts as zeros.
 */
import { ConfigError, formatValue } from '../errors.ts';
import type { Conv2dForwardSpec } from '../kernels/conv2d-forward.ts';
import type { Conv2dInputGradientSpec } from '../kernels/conv2d-input-gradient.ts';
import { packedLength } from '../kernels/conv2d-pack.ts';
import type { Conv2dWeightGradientSpec } from '../kernels/conv2d-weight-gradient.ts';
import type { PoolSharesSpec } from '../kernels/pool-shares.ts';
import type { PoolSharesBackwardSpec } from '../kernels/pool-shares-backward.ts';
import {
  type ConvGeometry,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
} from '../tensor/convolution.ts';
import { checkInitializer, type Initializer } from '../tensor/initializers.ts';
import type { Shape } from '../tensor/shape.ts';
import { checkShape } from '../tensor/shape.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';
import { type PoolConfig, type PoolOptions, resolvePool } from './pooling-options.ts';

/** Weights [rows][columns] of a window. */
export type WindowWeights = readonly (readonly number[])[];

export interface WeightedPoolOptions extends PoolOptions {
  /** Default 'learned'; or numbers [rows][columns], which also give the poolSize. Their sum must not be 0. */
  readonly weights?: 'learned' | WindowWeights;
  /** Start of learned weights; default 'zeros', equal shares. */
  readonly weightInitializer?: Initializer;
}

export interface WeightedPoolConfig extends PoolConfig {
  readonly weights: 'learned' | WindowWeights;
  readonly weightInitializer: Initializer;
}

type Pass = PoolSharesSpec['pass'];

/** The size of a window of given weights; throws ConfigError. */
function sizeOf(operation: string, weights: WindowWeights): readonly [number, number] {
  const [rows, columns] = [weights?.length, weights?.[0]?.length];
  const isWindow =
    Array.isArray(weights) &&
    weights.every((row) => Array.isArray(row) && row.length === columns && row.every(Number.isFinite));
  const sum = isWindow ? weights.flat().reduce((total, weight) => total + weight, 0) : 0;
  if (rows! >= 1 && columns! >= 1 && sum !== 0) return [rows!, columns!];
  throw new ConfigError({
    operation,
    argument: 'weights',
    expected: "'learned', or rows of as many finite numbers each, whose sum is not 0",
    received: formatValue(weights),
  });
}

function resolve(options: WeightedPoolOptions, operation: string): WeightedPoolConfig {
  const { weights = 'learned', weightInitializer = 'zeros' } = options;
  const initializer = checkInitializer(operation, 'weightInitializer', weightInitializer);
  if (weights === 'learned')
    return { ...resolvePool(options, operation), weights, weightInitializer: initializer };
  const size = sizeOf(operation, weights);
  const pool = resolvePool(options, operation, size);
  if (pool.poolSize[0] !== size[0] || pool.poolSize[1] !== size[1]) {
    throw new ConfigError({
      operation,
      argument: 'poolSize',
      expected: `[${size}], as many rows and columns as the weights have`,
      received: JSON.stringify(options.poolSize),
    });
  }
  return { ...pool, weights: weights.map((row) => [...row]), weightInitializer: initializer };
}

function geometryOf(config: WeightedPoolConfig, input: Shape, operation = 'weightedPooling2d'): ConvGeometry {
  checkShape(operation, 'input shape', input, 3);
  const { poolSize: kernelSize, strides, padding } = config;
  const channels = input[2]!;
  return convGeometry(operation, input, {
    filters: channels,
    groups: channels,
    kernelSize,
    strides,
    padding,
  });
}

function packedShares(context: ForwardContext<WeightedPoolConfig>, geometry: ConvGeometry, pass: Pass) {
  const { weights } = context.config;
  const length = packedLength(geometry, pass);
  if (weights === 'learned') {
    return context.prepared(pass, 'weight', length, { kind: 'poolShares', geometry, pass } as PoolSharesSpec);
  }
  const sum = weights.flat().reduce((total, weight) => total + weight, 0);
  const shares = weights.flat().map((weight) => Math.fround(weight / sum));
  return context.prepared(pass, [], length, { kind: 'poolShares', geometry, pass, shares } as PoolSharesSpec);
}

function forward(context: ForwardContext<WeightedPoolConfig>): void {
  const { config, inputs, output, call } = context;
  const geometry = geometryOf(config, inputs[0]!.shape);
  const spec: Conv2dForwardSpec = {
    kind: 'conv2dForward',
    geometry,
    input: inputs[0]!.view,
    output: output.view,
    bias: false,
    activation: 'linear',
  };
  call(spec, [inputs[0]!.origin, packedShares(context, geometry, 'forward'), output.origin, 'count']);
}

function backward(context: BackwardContext<WeightedPoolConfig>): void {
  const { config, inputs, gradOutput, call } = context;
  const geometry = geometryOf(config, inputs[0]!.shape);
  const weight = config.weights === 'learned' ? context.gradParameter('weight') : undefined;
  if (weight !== undefined) {
    const [taps, channels] = [geometry.kernelHeight * geometry.kernelWidth, geometry.inChannels];
    const gradShares = context.scratch(taps * channels);
    const correlate: Conv2dWeightGradientSpec = {
      kind: 'conv2dWeightGradient',
      geometry,
      input: inputs[0]!.view,
      gradOutput: gradOutput.view,
      accumulate: false,
      flip: false,
    };
    call(correlate, [inputs[0]!.origin, gradOutput.origin, gradShares, 'count']);
    const { accumulate } = weight;
    const through: PoolSharesBackwardSpec = { kind: 'poolSharesBackward', taps, channels, accumulate };
    call(through, [context.parameter('weight'), gradShares, weight.origin]);
  }
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: Conv2dInputGradientSpec = {
    kind: 'conv2dInputGradient',
    geometry,
    gradOutput: gradOutput.view,
    gradInput: gradInput.view,
    accumulate: gradInput.accumulate,
    bias: false,
    activation: 'linear',
  };
  const shares = packedShares(context, geometry, 'inputGradient');
  call(spec, [gradOutput.origin, shares, gradInput.origin, 'count']);
}

/**
 * Weighted mean of each window, each channel by itself. Options: weights ('learned', or rows of numbers),
 * weightInitializer ('zeros'), and as averagePooling2d poolSize (2), strides (poolSize), padding ('valid').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit.
 */
export const weightedPooling2d = defineLayer<WeightedPoolOptions, WeightedPoolConfig>({
  type: 'weightedPooling2d',
  resolve,
  outputShape(config, [input], operation) {
    const g = geometryOf(config, input!, operation);
    return [g.outHeight, g.outWidth, g.outChannels];
  },
  parameters({ weights, poolSize, weightInitializer }, [input]) {
    if (weights !== 'learned') return [];
    return [{ name: 'weight', shape: [...poolSize, input![2]!], initializer: weightInitializer }];
  },
  halo(config, [input]) {
    const geometry = geometryOf(config, input!);
    return { input: inputHalo(geometry), gradOutput: gradOutputHalo(geometry) };
  },
  forward,
  backward,
  multiplyAdds: (config, [input]) => multiplyAdds(geometryOf(config, input!)),
  examples: [
    { options: {}, inputShape: [4, 6, 3] },
    { options: { poolSize: 3, strides: 2, padding: 'same' }, inputShape: [5, 4, 5] },
    {
      options: {
        weights: [
          [1, 2],
          [3, 2],
          [1, 2],
        ],
        strides: [1, 2],
      },
      inputShape: [5, 5, 4],
    },
  ],
});
