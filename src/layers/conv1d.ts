/**
 * Convolution along a sequence: that of an image of one row.
 *   input [L, C], output [Lo, filters], weight [k, C/groups, filters], bias [filters]
 *   forward:  y = activation(x # w + b); backward: as conv2d
 *   Lo = floor((L + left + right - dilation*(k - 1) - 1) / stride) + 1
 */
import {
  type ConvGeometry,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
} from '../tensor/convolution.ts';
import type { Shape } from '../tensor/shape.ts';
import { convParameters } from './conv-parameters.ts';
import { backwardConvolution, type Convolution, forwardConvolution } from './conv-passes.ts';
import { defineLayer, type ForwardContext } from './layer.ts';
import {
  checkCount,
  followingActivation,
  resolveWeights,
  type WeightConfig,
  type WeightOptions,
} from './options.ts';
import {
  alongRow,
  checkSequencePadding,
  checkWindowFits,
  rowPadding,
  rowShape,
  type SequencePadding,
} from './sequences.ts';

export interface Conv1dOptions extends WeightOptions {
  /** Output channels. */
  readonly filters: number;
  /** Steps of a window. */
  readonly kernelSize: number;
  /** Default 1. */
  readonly strides?: number;
  /** Default 1. */
  readonly dilationRate?: number;
  /** Default 'valid'; 'causal': dilationRate * (kernelSize - 1) zeros before, so that no output sees later steps. */
  readonly padding?: SequencePadding | 'causal';
  /** Default 1. */
  readonly groups?: number;
}

export interface Conv1dConfig extends WeightConfig {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
  readonly dilationRate: number;
  readonly padding: SequencePadding | 'causal';
  readonly groups: number;
}

function geometryOf(config: Conv1dConfig, input: Shape, operation = 'conv1d'): ConvGeometry {
  const { filters, kernelSize, strides, dilationRate, padding, groups } = config;
  const causal = { left: dilationRate * (kernelSize - 1), right: 0 };
  const row = rowShape(operation, input);
  const sides = padding === 'causal' ? causal : padding;
  checkWindowFits(operation, input, causal.left + 1, sides, 'kernelSize');
  return convGeometry(operation, row, {
    filters,
    kernelSize: alongRow(kernelSize),
    strides: alongRow(strides),
    dilationRate: alongRow(dilationRate),
    padding: rowPadding(sides),
    groups,
  });
}

function convolutionOf({ config, inputs }: ForwardContext<Conv1dConfig>): Convolution {
  return { geometry: geometryOf(config, inputs[0]!.shape), flip: false, tile: 0 };
}

function checkPadding(
  operation: string,
  padding: Conv1dOptions['padding'] = 'valid',
): Conv1dConfig['padding'] {
  return padding === 'causal'
    ? padding
    : checkSequencePadding(operation, padding, "'same', 'valid', 'causal'");
}

/** The counts that both convolutions along sequences have, with their defaults; throws ConfigError. */
export function resolveSteps(
  options: Pick<Conv1dOptions, 'filters' | 'kernelSize' | 'strides' | 'dilationRate' | 'groups'>,
  operation: string,
) {
  const { filters, kernelSize, strides = 1, dilationRate = 1, groups = 1 } = options;
  const counts = { filters, kernelSize, strides, dilationRate, groups };
  for (const [argument, value] of Object.entries(counts)) checkCount(operation, argument, value);
  return counts;
}

/**
 * Convolution of sequences. Options as in Keras' Conv1D: filters, kernelSize, strides (1), padding ('valid', 'same',
 * 'causal'; or steps on each side), dilationRate (1), groups (1), activation ('linear'), useBias (true),
 * kernelInitializer ('glorotUniform'), biasInitializer ('zeros').
 * Throws ConfigError for senseless options, ShapeError where the window does not fit into the sequence.
 */
export const conv1d = defineLayer<Conv1dOptions, Conv1dConfig>({
  type: 'conv1d',
  resolve: (options, operation) => ({
    ...resolveSteps(options, operation),
    padding: checkPadding(operation, options.padding),
    ...resolveWeights(options, operation),
  }),
  outputShape(config, [input], operation) {
    const g = geometryOf(config, input!, operation);
    return [g.outWidth, g.outChannels];
  },
  parameters(config, [input]) {
    const g = geometryOf(config, input!);
    return convParameters(config, g, g.outChannels, 1);
  },
  halo(config, [input]) {
    const geometry = geometryOf(config, input!);
    return { input: inputHalo(geometry), gradOutput: gradOutputHalo(geometry) };
  },
  following: followingActivation,
  forward: (context) => forwardConvolution(context, convolutionOf(context)),
  backward: (context) => backwardConvolution(context, convolutionOf(context)),
  multiplyAdds: (config, [input]) => multiplyAdds(geometryOf(config, input!)),
  examples: [
    { options: { filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }, inputShape: [9, 3] },
    { options: { filters: 4, kernelSize: 4, strides: 3, groups: 2 }, inputShape: [12, 6] },
    {
      options: { filters: 3, kernelSize: 2, dilationRate: 3, padding: 'causal', activation: 'tanh' },
      inputShape: [7, 2],
    },
    {
      options: { filters: 2, kernelSize: 3, padding: { left: 3, right: 1 }, useBias: false },
      inputShape: [4, 5],
    },
  ],
});
