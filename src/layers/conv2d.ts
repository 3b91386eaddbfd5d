/**
 * 2-D convolution (the seed's section 2.1, eq. 2.4; gradients: eq. 3.10 and 3.11).
 *   input [H, W, C], output [Ho, Wo, filters], weight [kh, kw, C/groups, filters], bias [filters]
 *   forward:  y = activation(x # w + b)
 *   backward: dO = dY * activation'(y); db = sum of dO; dW = x # dO; dX = dO full-convolved with flipped w
 */
import { ConfigError, formatValue } from '../errors.ts';
import { winogradFits } from '../kernels/winograd-geometry.ts';
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
} from '../tensor/convolution.ts';
import type { Shape } from '../tensor/shape.ts';
import { type ConvAlgorithm, chooseTile } from './conv-algorithm.ts';
import { convParameters } from './conv-parameters.ts';
import { backwardConvolution, type Convolution, forwardConvolution } from './conv-passes.ts';
import { defineLayer, type ForwardContext } from './layer.ts';
import {
  checkCount,
  checkFlag,
  checkWindow,
  followingActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';

export interface Conv2dOptions extends ConvOptions, WeightOptions {
  /** The true convolution (weights flipped by 180 degrees, the seed's eq. 2.2); default false. */
  readonly flip?: boolean;
  /** 'direct', 'winograd2' (F(2,3)), 'winograd4' (F(4,3)), or 'auto' (default): what the model's numerics choose. */
  readonly algorithm?: ConvAlgorithm;
}

export interface Conv2dConfig extends ConvOptions, WeightConfig {
  readonly flip: boolean;
  readonly algorithm: ConvAlgorithm;
}

function checkAlgorithm(operation: string, algorithm: ConvAlgorithm): ConvAlgorithm {
  const known: readonly ConvAlgorithm[] = ['auto', 'direct', 'winograd2', 'winograd4'];
  if (known.includes(algorithm)) return algorithm;
  throw new ConfigError({
    operation,
    argument: 'algorithm',
    expected: `one of ${known.join(', ')}`,
    received: formatValue(algorithm),
  });
}

function checkFits(operation: string, g: ConvGeometry, algorithm: ConvAlgorithm): void {
  if (!algorithm.startsWith('winograd') || winogradFits(g)) return;
  throw new ConfigError({
    operation,
    argument: 'algorithm',
    expected: "'auto' or 'direct': Winograd's takes 3x3 kernels with strides, dilation and groups of 1",
    received: algorithm,
  });
}

function geometryOf(config: Conv2dConfig, inputs: readonly Shape[]): ConvGeometry {
  return convGeometry('conv2d', inputs[0]!, config);
}

function convolutionOf(context: ForwardContext<Conv2dConfig>): Convolution {
  const { config, inputs, numerics } = context;
  const geometry = geometryOf(config, [inputs[0]!.shape]);
  return { geometry, flip: config.flip, tile: chooseTile(geometry, numerics, config.algorithm) };
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
    checkCount(operation, 'groups', groups);
    checkWindow(operation, { kernelSize, strides, dilationRate }, padding);
    return {
      filters,
      kernelSize,
      strides,
      dilationRate,
      padding,
      groups,
      flip: checkFlag(operation, 'flip', options.flip ?? false),
      algorithm: checkAlgorithm(operation, options.algorithm ?? 'auto'),
      ...resolveWeights(options, operation),
    };
  },
  outputShape(config, [input], operation) {
    const g = convGeometry(operation, input!, config);
    checkFits(operation, g, config.algorithm);
    return [g.outHeight, g.outWidth, g.outChannels];
  },
  parameters(config, inputs) {
    const g = geometryOf(config, inputs);
    return convParameters(config, g, g.outChannels, 2);
  },
  halo(config, inputs) {
    const geometry = geometryOf(config, inputs);
    return { input: inputHalo(geometry), gradOutput: gradOutputHalo(geometry) };
  },
  following: followingActivation,
  forward: (context) => forwardConvolution(context, convolutionOf(context)),
  backward: (context) => backwardConvolution(context, convolutionOf(context)),
  multiplyAdds: (config, inputs) => multiplyAdds(geometryOf(config, inputs)),
  examples: [
    { options: { filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }, inputShape: [6, 5, 3] },
    {
      options: { filters: 5, kernelSize: 3, padding: 'same', algorithm: 'winograd4' },
      inputShape: [6, 5, 3],
    },
    { options: { filters: 3, kernelSize: 3, algorithm: 'winograd2', flip: true }, inputShape: [5, 5, 2] },
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
