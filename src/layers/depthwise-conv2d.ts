/**
 * Depthwise convolution: each channel by itself, with `depthMultiplier` filters of its own (the first half of a
 * separable convolution; Howard et al., "MobileNets", 2017, section 3.1).
 *   input [H, W, C], output [Ho, Wo, C*M], weight [kh, kw, C, M], bias [C*M]
 *   forward:  y_{cM+m} = activation(x_c # w_{c,m} + b_{cM+m}); backward: as conv2d
 * It is the convolution of C groups, whose weights [kh, kw, 1, C*M] lie in memory alike.
 */
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
} from '../tensor/convolution.ts';
import { checkInitializer, convFans, type Initializer } from '../tensor/initializers.ts';
import { checkShape, type Shape } from '../tensor/shape.ts';
import { backwardConvolution, type Convolution, forwardConvolution } from './conv-passes.ts';
import { defineLayer } from './layer.ts';
import {
  checkCount,
  checkWindow,
  followingActivation,
  resolveBeyondKernel,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';

type WindowOptions = Pick<ConvOptions, 'kernelSize' | 'strides' | 'dilationRate' | 'padding'>;

export interface DepthwiseConv2dOptions extends WindowOptions, Omit<WeightOptions, 'kernelInitializer'> {
  /** Filters of each channel; default 1. */
  readonly depthMultiplier?: number;
  /** Default 'glorotUniform'. */
  readonly depthwiseInitializer?: Initializer;
}

export interface DepthwiseConfig extends WindowOptions, Omit<WeightConfig, 'kernelInitializer'> {
  readonly depthMultiplier: number;
  readonly depthwiseInitializer: Initializer;
}

/** Window, multiplier and initialiser with their defaults; throws ConfigError. */
export function resolveDepthwise(
  options: WindowOptions & Pick<DepthwiseConv2dOptions, 'depthMultiplier' | 'depthwiseInitializer'>,
  operation: string,
) {
  const { kernelSize, strides = 1, dilationRate = 1, padding = 'valid', depthMultiplier = 1 } = options;
  const { depthwiseInitializer = 'glorotUniform' } = options;
  checkWindow(operation, { kernelSize, strides, dilationRate }, padding);
  checkCount(operation, 'depthMultiplier', depthMultiplier);
  return {
    kernelSize,
    strides,
    dilationRate,
    padding,
    depthMultiplier,
    depthwiseInitializer: checkInitializer(operation, 'depthwiseInitializer', depthwiseInitializer),
  };
}

/** The grouped convolution; throws ShapeError where the window does not fit. */
export function depthwiseGeometry(
  operation: string,
  config: WindowOptions & Pick<DepthwiseConfig, 'depthMultiplier'>,
  input: Shape,
): ConvGeometry {
  checkShape(operation, 'input shape', input, 3);
  const channels = input[2]!;
  const filters = channels * config.depthMultiplier;
  return convGeometry(operation, input, { ...config, filters, groups: channels });
}

/** Shape and fans of the weights [kh, kw, C, M], as in Keras. */
export function depthwiseWeight(g: ConvGeometry, depthMultiplier: number) {
  const { kernelHeight, kernelWidth, inChannels } = g;
  const fans = convFans(kernelHeight, kernelWidth, inChannels, depthMultiplier);
  return { shape: [kernelHeight, kernelWidth, inChannels, depthMultiplier], ...fans };
}

function convolutionOf(config: DepthwiseConfig, [input]: readonly Shape[]): Convolution {
  return { geometry: depthwiseGeometry('depthwiseConv2d', config, input!), flip: false, tile: 0 };
}

/**
 * Convolution of each channel by itself. Options as in Keras: kernelSize, strides (1), padding ('valid'),
 * depthMultiplier (1), dilationRate (1), activation ('linear'), useBias (true), depthwiseInitializer
 * ('glorotUniform'), biasInitializer ('zeros').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit into the image.
 */
export const depthwiseConv2d = defineLayer<DepthwiseConv2dOptions, DepthwiseConfig>({
  type: 'depthwiseConv2d',
  resolve: (options, operation) => ({
    ...resolveDepthwise(options, operation),
    ...resolveBeyondKernel(options, operation),
  }),
  outputShape(config, [input], operation) {
    const g = depthwiseGeometry(operation, config, input!);
    return [g.outHeight, g.outWidth, g.outChannels];
  },
  parameters(config, inputs) {
    const { geometry } = convolutionOf(config, inputs);
    const initializer = config.depthwiseInitializer;
    const weight = { name: 'weight', initializer, ...depthwiseWeight(geometry, config.depthMultiplier) };
    const bias = { name: 'bias', shape: [geometry.outChannels], initializer: config.biasInitializer };
    return config.useBias ? [weight, bias] : [weight];
  },
  halo(config, inputs) {
    const { geometry } = convolutionOf(config, inputs);
    return { input: inputHalo(geometry), gradOutput: gradOutputHalo(geometry) };
  },
  following: followingActivation,
  forward: (context) =>
    forwardConvolution(context, convolutionOf(context.config, [context.inputs[0]!.shape])),
  backward: (context) =>
    backwardConvolution(context, convolutionOf(context.config, [context.inputs[0]!.shape])),
  multiplyAdds: (config, inputs) => multiplyAdds(convolutionOf(config, inputs).geometry),
  examples: [
    { options: { kernelSize: 3, padding: 'same', activation: 'relu' }, inputShape: [5, 6, 5] },
    { options: { kernelSize: [3, 2], strides: [2, 1], depthMultiplier: 2 }, inputShape: [6, 5, 3] },
    {
      options: { kernelSize: 2, dilationRate: 2, useBias: false, activation: 'elu' },
      inputShape: [4, 5, 16],
    },
  ],
});
