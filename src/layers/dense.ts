/**
 * Fully connected layer (the seed's section 2.3).
 *   input [F], output [units], weight [F, units], bias [units]
 *   forward: y = activation(x w + b); backward: dO = dY * activation'(y), db = sum of dO, dW = x^T dO, dX = dO w^T
 * The weight gradient is computed once over the whole batch, cut by rows of the weights.
 */
import { ShapeError } from '../errors.ts';
import type { ChannelSumSpec } from '../kernels/channel-sum.ts';
import { type PackPass, packedLength } from '../kernels/conv2d-pack.ts';
import type { DenseForwardSpec } from '../kernels/dense-forward.ts';
import type { DenseInputGradientSpec } from '../kernels/dense-input-gradient.ts';
import { denseGeometry, type PackDenseSpec } from '../kernels/dense-pack.ts';
import type { DenseWeightGradientSpec } from '../kernels/dense-weight-gradient.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { reluGate } from './conv-passes.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';
import {
  checkCount,
  followingActivation,
  fusedActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';

export interface DenseOptions extends WeightOptions {
  /** Number of outputs. */
  readonly units: number;
}

export interface DenseConfig extends WeightConfig {
  readonly units: number;
}

/** Weights of one unit of the weight gradient; a choice of speed, not of bits. */
const WEIGHTS_PER_UNIT = 32_768;

function sizes(config: DenseConfig, input: Shape) {
  return { inFeatures: input[0]!, outFeatures: config.units };
}

function packed(context: ForwardContext<DenseConfig>, pass: PackPass) {
  const features = sizes(context.config, context.inputs[0]!.shape);
  const spec: PackDenseSpec = { kind: 'packDense', ...features, pass };
  return context.prepared(pass, 'weight', packedLength(denseGeometry(features), pass), spec);
}

function forward(context: ForwardContext<DenseConfig>): void {
  const { config, inputs, output, call } = context;
  const [input] = inputs;
  const spec: DenseForwardSpec = {
    kind: 'denseForward',
    ...sizes(config, input!.shape),
    inputStride: input!.view.imageStride,
    outputStride: output.view.imageStride,
    bias: config.useBias,
    activation: fusedActivation(config),
  };
  const bias = config.useBias ? [context.parameter('bias')] : [];
  call(spec, [input!.origin, packed(context, 'forward'), ...bias, output.origin, 'count']);
}

function backward(context: BackwardContext<DenseConfig>): void {
  const { config, inputs, output, gradOutput, call } = context;
  const input = inputs[0]!;
  const features = sizes(config, input.shape);
  if (fusedActivation(config) === 'relu') reluGate(context, output);
  const gradInput = context.gradInput();
  if (gradInput !== undefined) {
    const spec: DenseInputGradientSpec = {
      kind: 'denseInputGradient',
      ...features,
      gradOutputStride: gradOutput.view.imageStride,
      gradInputStride: gradInput.view.imageStride,
      accumulate: gradInput.accumulate,
    };
    call(spec, [gradOutput.origin, packed(context, 'inputGradient'), gradInput.origin, 'count']);
  }
  const bias = config.useBias ? context.gradParameter('bias') : undefined;
  if (bias !== undefined) {
    const spec: ChannelSumSpec = {
      kind: 'channelSum',
      view: gradOutput.view,
      accumulate: bias.accumulate,
    };
    context.batchUnit([{ spec, operands: [gradOutput.origin, bias.origin, 'count'] }]);
  }
  const weight = context.gradParameter('weight');
  if (weight === undefined) return;
  const spec: DenseWeightGradientSpec = {
    kind: 'denseWeightGradient',
    ...features,
    inputStride: input.view.imageStride,
    gradOutputStride: gradOutput.view.imageStride,
    accumulate: weight.accumulate,
  };
  const rows = Math.max(4, Math.ceil(WEIGHTS_PER_UNIT / features.outFeatures / 4) * 4);
  for (let row = 0; row < features.inFeatures; row += rows) {
    const count = Math.min(rows, features.inFeatures - row);
    const operands = [input.origin, gradOutput.origin, weight.origin, row, count, 'count'] as const;
    context.batchUnit([{ spec, operands }]);
  }
}

/**
 * y = activation(x w + b) for vectors. Options as in Keras: units, activation ('linear'), useBias (true),
 * kernelInitializer ('glorotUniform'), biasInitializer ('zeros').
 * Throws ConfigError for senseless options, ShapeError for inputs that are not vectors.
 */
export const dense = defineLayer<DenseOptions, DenseConfig>({
  type: 'dense',
  resolve(options, operation) {
    checkCount(operation, 'units', options.units);
    return { units: options.units, ...resolveWeights(options, operation) };
  },
  outputShape(config, [input], operation) {
    if (input!.length !== 1) {
      throw new ShapeError({
        operation,
        argument: 'input shape',
        expected: 'a vector [F]',
        received: formatShape(input!),
        hint: 'put flatten() before it',
      });
    }
    return [config.units];
  },
  parameters(config, [input]) {
    const [features] = input as [number];
    const fans = { fanIn: features, fanOut: config.units };
    const shape = [features, config.units];
    const gradient = 'batch' as const;
    const weight = { name: 'weight', shape, initializer: config.kernelInitializer, ...fans, gradient };
    const bias = { name: 'bias', shape: [config.units], initializer: config.biasInitializer, gradient };
    return config.useBias ? [weight, bias] : [weight];
  },
  wholeBatch: true,
  following: followingActivation,
  forward,
  backward,
  multiplyAdds: (config, [input]) => input![0]! * config.units,
  examples: [
    { options: { units: 5, activation: 'relu' }, inputShape: [7] },
    { options: { units: 18, useBias: false }, inputShape: [6] },
    { options: { units: 3, activation: 'softmax' }, inputShape: [20] },
  ],
});
