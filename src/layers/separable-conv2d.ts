/**
 * Separable convolution: a depthwise one, then a 1x1 one over its channels (Chollet, "Xception", 2017).
 *   input [H, W, C], inner image [Ho, Wo, C*M], output [Ho, Wo, filters]
 *   depthwiseWeight [kh, kw, C, M], pointwiseWeight [1, 1, C*M, filters], bias [filters]
 *   forward:  z = x # depthwiseWeight, channel by channel; y = activation(z # pointwiseWeight + b)
 *   backward: dO = dY * activation'(y); dpointwiseWeight = z # dO, dZ = dO # pointwiseWeight^T, then as depthwiseConv2d
 */
import {
  type ConvGeometry,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
} from '../tensor/convolution.ts';
import { checkInitializer, convFans, type Initializer } from '../tensor/initializers.ts';
import type { Shape } from '../tensor/shape.ts';
import {
  backwardEnd,
  type Convolution,
  emitConvolution,
  emitInputGradient,
  emitWeightGradient,
} from './conv-passes.ts';
import {
  type DepthwiseConfig,
  type DepthwiseConv2dOptions,
  depthwiseGeometry,
  depthwiseWeight,
  resolveDepthwise,
} from './depthwise-conv2d.ts';
import { clearHalo, innerTensor } from './inner-tensor.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';
import { checkCount, followingActivation, fusedActivation, resolveBeyondKernel } from './options.ts';

export interface SeparableConv2dOptions extends DepthwiseConv2dOptions {
  /** Output channels. */
  readonly filters: number;
  /** Default 'glorotUniform'. */
  readonly pointwiseInitializer?: Initializer;
}

export interface SeparableConfig extends DepthwiseConfig {
  readonly filters: number;
  readonly pointwiseInitializer: Initializer;
}

/** Both convolutions; throws ShapeError where the window does not fit. */
function geometries(
  config: SeparableConfig,
  input: Shape,
  operation = 'separableConv2d',
): { readonly depthwise: ConvGeometry; readonly pointwise: ConvGeometry } {
  const depthwise = depthwiseGeometry(operation, config, input);
  const inner = [depthwise.outHeight, depthwise.outWidth, depthwise.outChannels];
  const pointwise = convGeometry(operation, inner, { filters: config.filters, kernelSize: 1 });
  return { depthwise, pointwise };
}

function convolutions({ config, inputs }: ForwardContext<SeparableConfig>) {
  const { depthwise, pointwise } = geometries(config, inputs[0]!.shape);
  const direct = { flip: false, tile: 0 } as const;
  return {
    depthwise: { geometry: depthwise, weight: 'depthwiseWeight', ...direct } satisfies Convolution,
    pointwise: { geometry: pointwise, weight: 'pointwiseWeight', ...direct } satisfies Convolution,
    inner: [depthwise.outHeight, depthwise.outWidth, depthwise.outChannels] as const,
  };
}

function forward(context: ForwardContext<SeparableConfig>): void {
  const { config, inputs, output } = context;
  const { depthwise, pointwise, inner } = convolutions(context);
  const between = innerTensor(context, 'inner', inner);
  emitConvolution(context, depthwise, inputs[0]!, between, { bias: undefined, activation: 'linear' });
  const bias = config.useBias ? context.parameter('bias') : undefined;
  emitConvolution(context, pointwise, between, output, { bias, activation: fusedActivation(config) });
}

function backward(context: BackwardContext<SeparableConfig>): void {
  const { config, inputs, gradOutput } = context;
  const { depthwise, pointwise, inner } = convolutions(context);
  backwardEnd(context, config);
  const pointwiseWeight = context.gradParameter('pointwiseWeight');
  if (pointwiseWeight !== undefined) {
    emitWeightGradient(context, pointwise, innerTensor(context, 'inner', inner), gradOutput, pointwiseWeight);
  }
  const depthwiseWeight = context.gradParameter('depthwiseWeight');
  const gradInput = context.gradInput();
  if (depthwiseWeight === undefined && gradInput === undefined) return;
  const halo = gradInput === undefined ? 0 : gradOutputHalo(depthwise.geometry);
  const gradInner = innerTensor(context, 'gradInner', inner, halo);
  clearHalo(context, gradInner);
  emitInputGradient(context, pointwise, gradOutput, { ...gradInner, accumulate: false });
  if (depthwiseWeight !== undefined) {
    emitWeightGradient(context, depthwise, inputs[0]!, gradInner, depthwiseWeight);
  }
  if (gradInput !== undefined) emitInputGradient(context, depthwise, gradInner, gradInput);
}

/**
 * Convolution of each channel by itself, then of the channels at each pixel. Options as in Keras: filters, kernelSize,
 * strides (1), padding ('valid'), dilationRate (1), depthMultiplier (1), activation ('linear'), useBias (true),
 * depthwiseInitializer, pointwiseInitializer ('glorotUniform'), biasInitializer ('zeros').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit into the image.
 */
export const separableConv2d = defineLayer<SeparableConv2dOptions, SeparableConfig>({
  type: 'separableConv2d',
  resolve(options, operation) {
    const { filters, pointwiseInitializer = 'glorotUniform' } = options;
    checkCount(operation, 'filters', filters);
    return {
      filters,
      ...resolveDepthwise(options, operation),
      pointwiseInitializer: checkInitializer(operation, 'pointwiseInitializer', pointwiseInitializer),
      ...resolveBeyondKernel(options, operation),
    };
  },
  outputShape(config, [input], operation) {
    const { pointwise } = geometries(config, input!, operation);
    return [pointwise.outHeight, pointwise.outWidth, pointwise.outChannels];
  },
  parameters(config, [input]) {
    const { filters, depthMultiplier, depthwiseInitializer, pointwiseInitializer } = config;
    const { depthwise, pointwise } = geometries(config, input!);
    const channels = pointwise.inChannels;
    const weights = [
      {
        name: 'depthwiseWeight',
        initializer: depthwiseInitializer,
        ...depthwiseWeight(depthwise, depthMultiplier),
      },
      {
        name: 'pointwiseWeight',
        shape: [1, 1, channels, filters],
        initializer: pointwiseInitializer,
        ...convFans(1, 1, channels, filters),
      },
    ];
    const bias = { name: 'bias', shape: [filters], initializer: config.biasInitializer };
    return config.useBias ? [...weights, bias] : weights;
  },
  halo: (config, [input]) => ({ input: inputHalo(geometries(config, input!).depthwise) }),
  following: followingActivation,
  forward,
  backward,
  multiplyAdds(config, [input]) {
    const { depthwise, pointwise } = geometries(config, input!);
    return multiplyAdds(depthwise) + multiplyAdds(pointwise);
  },
  examples: [
    { options: { filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }, inputShape: [5, 4, 3] },
    {
      options: { filters: 3, kernelSize: [2, 3], strides: [1, 2], depthMultiplier: 2, useBias: false },
      inputShape: [4, 6, 2],
    },
    {
      options: { filters: 2, kernelSize: 3, dilationRate: 2, padding: 'same', activation: 'tanh' },
      inputShape: [5, 5, 4],
    },
  ],
});
