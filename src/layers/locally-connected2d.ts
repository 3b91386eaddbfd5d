/**
 * Locally connected layer of images: a convolution whose every output pixel has weights of its own.
 *   input [H, W, C], output [Ho, Wo, filters], weight [Ho*Wo, kh*kw*C, filters], bias [Ho, Wo, filters]
 *   forward and backward: locally-connected.ts
 */
import { type ConvGeometry, convGeometry, multiplyAdds, type Pair } from '../tensor/convolution.ts';
import type { Shape } from '../tensor/shape.ts';
import { defineLayer } from './layer.ts';
import { backwardLocal, forwardLocal, localParameters } from './locally-connected.ts';
import {
  checkCount,
  checkWindow,
  followingActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';

export interface LocallyConnected2dOptions extends WeightOptions {
  /** Output channels. */
  readonly filters: number;
  /** Rows and columns of a patch. */
  readonly kernelSize: Pair;
  /** Default 1. */
  readonly strides?: Pair;
}

export interface LocallyConnected2dConfig extends WeightConfig {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
}

function geometryOf(
  config: LocallyConnected2dConfig,
  input: Shape,
  operation = 'locallyConnected2d',
): ConvGeometry {
  const { filters, kernelSize, strides } = config;
  return convGeometry(operation, input, { filters, kernelSize, strides });
}

/**
 * Local connection without shared weights. Options as in Keras 2: filters, kernelSize, strides (1), activation
 * ('linear'), useBias (true), kernelInitializer ('glorotUniform', by the fans of one pixel), biasInitializer ('zeros');
 * no padding. Throws ConfigError for senseless options, ShapeError where the patch does not fit into the image.
 */
export const locallyConnected2d = defineLayer<LocallyConnected2dOptions, LocallyConnected2dConfig>({
  type: 'locallyConnected2d',
  resolve(options, operation) {
    const { filters, kernelSize, strides = 1 } = options;
    checkCount(operation, 'filters', filters);
    checkWindow(operation, { kernelSize, strides }, 'valid');
    return { filters, kernelSize, strides, ...resolveWeights(options, operation) };
  },
  outputShape(config, [input], operation) {
    const g = geometryOf(config, input!, operation);
    return [g.outHeight, g.outWidth, g.outChannels];
  },
  parameters(config, [input]) {
    const g = geometryOf(config, input!);
    return localParameters(g, config, [g.outHeight, g.outWidth, g.outChannels]);
  },
  wholeBatch: true,
  following: followingActivation,
  forward: (context) => forwardLocal(context, geometryOf(context.config, context.inputs[0]!.shape)),
  backward: (context) => backwardLocal(context, geometryOf(context.config, context.inputs[0]!.shape)),
  multiplyAdds: (config, [input]) => multiplyAdds(geometryOf(config, input!)),
  examples: [
    { options: { filters: 3, kernelSize: 2, activation: 'relu' }, inputShape: [4, 3, 2] },
    { options: { filters: 5, kernelSize: [1, 3], strides: [2, 1], useBias: false }, inputShape: [3, 4, 3] },
    { options: { filters: 2, kernelSize: 3, activation: 'tanh' }, inputShape: [3, 4, 4] },
  ],
});
