/**
 * 2-D convolution (the seed's section 2.1, eq. 2.4; gradients: eq. 3.10 and 3.11).
 *   input [H, W, C], output [Ho, Wo, filters], weight [kh, kw, C/groups, filters], bias [filters]
 *   forward:  y = activation(x # w + b)
 *   backward: dO = dY * activation'(y); db = sum of dO; dW = x # dO; dX = dO full-convolved with flipped w
 */
import type { ActivationBackwardSpec } from '../kernels/activation-backward.ts';
import type { ChannelSumSpec } from '../kernels/channel-sum.ts';
import type { Conv2dForwardSpec } from '../kernels/conv2d-forward.ts';
import type { Conv2dInputGradientSpec } from '../kernels/conv2d-input-gradient.ts';
import { type PackConv2dSpec, type PackPass, packedLength } from '../kernels/conv2d-pack.ts';
import type { Conv2dWeightGradientSpec } from '../kernels/conv2d-weight-gradient.ts';
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
} from '../tensor/convolution.ts';
import { convFans } from '../tensor/initializers.ts';
import type { Shape } from '../tensor/shape.ts';
import { type BackwardContext, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';
import {
  checkCount,
  followingActivation,
  fusedActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';

export interface Conv2dOptions extends ConvOptions, WeightOptions {
  /** The true convolution (weights flipped by 180 degrees, the seed's eq. 2.2); default false. */
  readonly flip?: boolean;
}

export interface Conv2dConfig extends WeightConfig {
  readonly conv: ConvOptions;
  readonly flip: boolean;
}

/** `dO = dY * relu'(y)` in place, where the forward kernel applied ReLU while storing. */
export function reluGate<C>(context: BackwardContext<C>, output: TensorRef): void {
  const spec: ActivationBackwardSpec = {
    kind: 'activationBackward',
    function: 'relu',
    alpha: 1,
    saved: output.view,
    gradOutput: context.gradOutput.view,
    gradInput: context.gradOutput.view,
    accumulate: false,
  };
  const { origin } = context.gradOutput;
  context.call(spec, [output.origin, origin, origin, 'count']);
}

/** The weights packed for a pass, made once an update. */
export function packedWeights(
  context: ForwardContext<unknown>,
  geometry: ConvGeometry,
  pass: PackPass,
  flip: boolean,
) {
  const spec: PackConv2dSpec = { kind: 'packConv2d', geometry, pass, flip };
  return context.prepared(pass, 'weight', packedLength(geometry, pass), spec);
}

function geometryOf(config: Conv2dConfig, inputs: readonly Shape[]): ConvGeometry {
  return convGeometry('conv2d', inputs[0]!, config.conv);
}

function forward(context: ForwardContext<Conv2dConfig>): void {
  const { config, inputs, output, call } = context;
  const [input] = inputs;
  const geometry = geometryOf(config, [input!.shape]);
  const spec: Conv2dForwardSpec = {
    kind: 'conv2dForward',
    geometry,
    input: input!.view,
    output: output.view,
    bias: config.useBias,
    activation: fusedActivation(config),
  };
  const weight = packedWeights(context, geometry, 'forward', config.flip);
  const bias = config.useBias ? [context.parameter('bias')] : [];
  call(spec, [input!.origin, weight, ...bias, output.origin, 'count']);
}

function backward(context: BackwardContext<Conv2dConfig>): void {
  const { config, inputs, output, gradOutput, call } = context;
  const [input] = inputs;
  const geometry = geometryOf(config, [input!.shape]);
  if (fusedActivation(config) === 'relu') reluGate(context, output);
  const bias = config.useBias ? context.gradParameter('bias') : undefined;
  if (bias !== undefined) {
    const sum: ChannelSumSpec = {
      kind: 'channelSum',
      view: gradOutput.view,
      accumulate: bias.accumulate,
    };
    call(sum, [gradOutput.origin, bias.origin, 'count']);
  }
  const weight = context.gradParameter('weight');
  if (weight !== undefined) {
    const spec: Conv2dWeightGradientSpec = {
      kind: 'conv2dWeightGradient',
      geometry,
      input: input!.view,
      gradOutput: gradOutput.view,
      accumulate: weight.accumulate,
      flip: config.flip,
    };
    call(spec, [input!.origin, gradOutput.origin, weight.origin, 'count']);
  }
  const gradInput = context.gradInput();
  if (gradInput !== undefined) {
    const spec: Conv2dInputGradientSpec = {
      kind: 'conv2dInputGradient',
      geometry,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      accumulate: gradInput.accumulate,
      bias: false,
      activation: 'linear',
    };
    const packed = packedWeights(context, geometry, 'inputGradient', config.flip);
    call(spec, [gradOutput.origin, packed, gradInput.origin, 'count']);
  }
}

/**
 * Convolution of images. Options as in Keras: filters, kernelSize, strides (1), padding ('valid'),
 * dilationRate (1), groups (1), activation ('linear'), useBias (true), kernelInitializer
 * ('glorotUniform'), biasInitializer ('zeros'); and flip (false).
 * Throws ConfigError for senseless options, ShapeError where the window does not fit into the image.
 */
export const conv2d = defineLayer<Conv2dOptions, Conv2dConfig>({
  type: 'conv2d',
  resolve(options, operation) {
    checkCount(operation, 'filters', options.filters);
    const { filters, kernelSize, strides = 1, dilationRate = 1, padding = 'valid', groups = 1 } = options;
    return {
      conv: { filters, kernelSize, strides, dilationRate, padding, groups },
      flip: options.flip ?? false,
      ...resolveWeights(options),
    };
  },
  outputShape(config, [input], operation) {
    const g = convGeometry(operation, input!, config.conv);
    return [g.outHeight, g.outWidth, g.outChannels];
  },
  parameters(config, inputs) {
    const g = geometryOf(config, inputs);
    const inPerGroup = g.inChannels / g.groups;
    const shape = [g.kernelHeight, g.kernelWidth, inPerGroup, g.outChannels];
    const fans = convFans(g.kernelHeight, g.kernelWidth, inPerGroup, g.outChannels);
    const weight = { name: 'weight', shape, initializer: config.kernelInitializer, ...fans };
    const bias = { name: 'bias', shape: [g.outChannels], initializer: config.biasInitializer };
    return config.useBias ? [weight, bias] : [weight];
  },
  halo(config, inputs) {
    const geometry = geometryOf(config, inputs);
    return { input: inputHalo(geometry), gradOutput: gradOutputHalo(geometry) };
  },
  following: followingActivation,
  forward,
  backward,
  multiplyAdds: (config, inputs) => multiplyAdds(geometryOf(config, inputs)),
  examples: [
    { options: { filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }, inputShape: [6, 5, 3] },
    { options: { filters: 4, kernelSize: [3, 2], strides: [2, 1], groups: 2 }, inputShape: [7, 6, 4] },
    { options: { filters: 3, kernelSize: 2, dilationRate: 2, flip: true }, inputShape: [5, 6, 2] },
    {
      options: {
        filters: 6,
        kernelSize: 3,
        padding: { top: 2, right: 0, bottom: 1, left: 1 },
        activation: 'elu',
        useBias: false,
      },
      inputShape: [5, 5, 2],
    },
  ],
});
