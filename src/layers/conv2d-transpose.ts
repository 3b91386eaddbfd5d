/**
 * Transposed convolution (the seed's section 2.5, eq. 2.8): the input gradient of a convolution as a layer.
 *   input [H, W, C], output [Ho, Wo, filters], weight [kh, kw, filters, C], bias [filters]
 *   forward:  y = activation(K^T x + b), K the convolution [Ho, Wo, filters] -> [H, W, C]
 *   backward: dO = dY * activation'(y); db = sum of dO; dW = dO # x; dX = K dO
 *   Ho = (H - 1)*stride + dilation*(kh - 1) + 1 - padTop - padBottom + outputPadding
 */
import type { Conv2dForwardSpec } from '../kernels/conv2d-forward.ts';
import type { Conv2dInputGradientSpec } from '../kernels/conv2d-input-gradient.ts';
import {
  type ConvGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
  type TransposedOptions,
  transposedGeometry,
} from '../tensor/convolution.ts';
import type { Shape } from '../tensor/shape.ts';
import { convParameters } from './conv-parameters.ts';
import { backwardEnd, emitWeightGradient, packedWeights } from './conv-passes.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';
import {
  checkCount,
  checkWindow,
  type EndConfig,
  followingActivation,
  fusedActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';

export interface Conv2dTransposeOptions extends TransposedOptions, WeightOptions {}

export interface TransposeConfig extends TransposedOptions, WeightConfig {}

function geometryOf(config: TransposeConfig, inputs: readonly Shape[]): ConvGeometry {
  return transposedGeometry('conv2dTranspose', inputs[0]!, config);
}

/** y = activation(K^T x + b), K the convolution of `geometry`. */
export function forwardTransposed(context: ForwardContext<EndConfig>, geometry: ConvGeometry): void {
  const { config, inputs, output, call } = context;
  const [input] = inputs;
  const spec: Conv2dInputGradientSpec = {
    kind: 'conv2dInputGradient',
    geometry,
    gradOutput: input!.view,
    gradInput: output.view,
    accumulate: false,
    bias: config.useBias,
    activation: fusedActivation(config),
  };
  const weight = packedWeights(context, geometry, 'inputGradient', false);
  const bias = config.useBias ? [context.parameter('bias')] : [];
  call(spec, [input!.origin, weight, ...bias, output.origin, 'count']);
}

/** All gradients of `forwardTransposed`. */
export function backwardTransposed(context: BackwardContext<EndConfig>, geometry: ConvGeometry): void {
  const { config, inputs, gradOutput, call } = context;
  const [input] = inputs;
  backwardEnd(context, config);
  const weight = context.gradParameter('weight');
  if (weight !== undefined) {
    emitWeightGradient(context, { geometry, flip: false, tile: 0 }, gradOutput, input!, weight);
  }
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: Conv2dForwardSpec = {
    kind: 'conv2dForward',
    geometry,
    input: gradOutput.view,
    output: gradInput.view,
    bias: false,
    activation: 'linear',
    accumulate: gradInput.accumulate,
  };
  const packed = packedWeights(context, geometry, 'forward', false);
  call(spec, [gradOutput.origin, packed, gradInput.origin, 'count']);
}

/**
 * Transposed convolution. Options as in Keras' Conv2DTranspose: filters, kernelSize, strides (1), padding
 * ('valid'), outputPadding, dilationRate (1), activation, useBias, initialisers; groups (1) besides.
 * With padding 'same' the output is stride times the input.
 * Throws ConfigError for senseless options, ShapeError where nothing would remain.
 */
export const conv2dTranspose = defineLayer<Conv2dTransposeOptions, TransposeConfig>({
  type: 'conv2dTranspose',
  resolve(options, operation) {
    checkCount(operation, 'filters', options.filters);
    const { filters, kernelSize, strides = 1, dilationRate = 1, padding = 'valid', groups = 1 } = options;
    checkCount(operation, 'groups', groups);
    checkWindow(operation, { kernelSize, strides, dilationRate }, padding);
    const { outputPadding } = options;
    return {
      filters,
      kernelSize,
      strides,
      dilationRate,
      padding,
      groups,
      ...(outputPadding !== undefined && { outputPadding }),
      ...resolveWeights(options, operation),
    };
  },
  outputShape(config, [input], operation) {
    const g = transposedGeometry(operation, input!, config);
    return [g.inHeight, g.inWidth, g.inChannels];
  },
  parameters(config, inputs) {
    const g = geometryOf(config, inputs);
    return convParameters(config, g, g.inChannels, 2);
  },
  halo(config, inputs) {
    const geometry = geometryOf(config, inputs);
    const gradOutput = inputHalo(geometry);
    return { input: gradOutputHalo(geometry), gradOutput, gradOutputForParameters: gradOutput };
  },
  following: followingActivation,
  forward: (context) => forwardTransposed(context, geometryOf(context.config, [context.inputs[0]!.shape])),
  backward: (context) => backwardTransposed(context, geometryOf(context.config, [context.inputs[0]!.shape])),
  multiplyAdds: (config, inputs) => multiplyAdds(geometryOf(config, inputs)),
  examples: [
    { options: { filters: 3, kernelSize: 3, strides: 2, padding: 'same' }, inputShape: [3, 4, 2] },
    {
      options: { filters: 4, kernelSize: [2, 3], strides: [3, 2], outputPadding: [1, 0], activation: 'relu' },
      inputShape: [3, 3, 5],
    },
    {
      options: { filters: 4, kernelSize: 2, dilationRate: 2, groups: 2, useBias: false },
      inputShape: [4, 4, 6],
    },
  ],
});
