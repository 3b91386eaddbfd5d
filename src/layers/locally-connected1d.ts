/**
 * Locally connected layer of sequences: a convolution whose every output step has weights of its own.
 *   input [L, C], output [Lo, filters], weight [Lo, k*C, filters], bias [Lo, filters]
 *   forward and backward: locally-connected.ts, on an image of one row
 */
import { type ConvGeometry, convGeometry, multiplyAdds } from '../tensor/convolution.ts';
import type { Shape } from '../tensor/shape.ts';
import { defineLayer } from './layer.ts';
import { backwardLocal, forwardLocal, localParameters } from './locally-connected.ts';
import {
  checkCount,
  followingActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';
import { alongRow, checkWindowFits, rowShape } from './sequences.ts';

export interface LocallyConnected1dOptions extends WeightOptions {
  /** Output channels. */
  readonly filters: number;
  /** Steps of a patch. */
  readonly kernelSize: number;
  /** Default 1. */
  readonly strides?: number;
}

export interface LocallyConnected1dConfig extends WeightConfig {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
}

function geometryOf(
  config: LocallyConnected1dConfig,
  input: Shape,
  operation = 'locallyConnected1d',
): ConvGeometry {
  const { filters, kernelSize, strides } = config;
  const row = rowShape(operation, input);
  checkWindowFits(operation, input, kernelSize, 'valid', 'kernelSize');
  const window = { kernelSize: alongRow(kernelSize), strides: alongRow(strides) };
  return convGeometry(operation, row, { filters, ...window });
}

/**
 * Local connection without shared weights, along sequences. Options as in Keras 2: filters, kernelSize, strides (1),
 * activation ('linear'), useBias (true), kernelInitializer ('glorotUniform', by the fans of one step), biasInitializer
 * ('zeros'); no padding. Throws ConfigError for senseless options, ShapeError where the patch does not fit.
 */
export const locallyConnected1d = defineLayer<LocallyConnected1dOptions, LocallyConnected1dConfig>({
  type: 'locallyConnected1d',
  resolve(options, operation) {
    const { filters, kernelSize, strides = 1 } = options;
    const counts = { filters, kernelSize, strides };
    for (const [argument, value] of Object.entries(counts)) checkCount(operation, argument, value);
    return { ...counts, ...resolveWeights(options, operation) };
  },
  outputShape(config, [input], operation) {
    const g = geometryOf(config, input!, operation);
    return [g.outWidth, g.outChannels];
  },
  parameters(config, [input]) {
    const g = geometryOf(config, input!);
    return localParameters(g, config, [g.outWidth, g.outChannels]);
  },
  wholeBatch: true,
  following: followingActivation,
  forward: (context) => forwardLocal(context, geometryOf(context.config, context.inputs[0]!.shape)),
  backward: (context) => backwardLocal(context, geometryOf(context.config, context.inputs[0]!.shape)),
  multiplyAdds: (config, [input]) => multiplyAdds(geometryOf(config, input!)),
  examples: [
    { options: { filters: 3, kernelSize: 2, activation: 'relu' }, inputShape: [5, 2] },
    { options: { filters: 5, kernelSize: 3, strides: 2, useBias: false }, inputShape: [7, 3] },
  ],
});
