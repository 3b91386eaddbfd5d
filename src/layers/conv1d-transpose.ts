/**
 * Transposed convolution along a sequence: that of an image of one row.
 *   input [L, C], output [Lo, filters], weight [k, filters/groups, C], bias [filters]
 *   forward and backward: as conv2dTranspose
 *   Lo = (L - 1)*stride + dilation*(k - 1) + 1 - left - right + outputPadding
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import {
  type ConvGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
  transposedGeometry,
} from '../tensor/convolution.ts';
import { checkShape, type Shape } from '../tensor/shape.ts';
import { convParameters } from './conv-parameters.ts';
import { type Conv1dConfig, type Conv1dOptions, resolveSteps } from './conv1d.ts';
import { backwardTransposed, forwardTransposed } from './conv2d-transpose.ts';
import { defineLayer, type ForwardContext } from './layer.ts';
import { followingActivation, resolveWeights } from './options.ts';
import { alongRow, checkSequencePadding, rowPadding, rowShape, type SequencePadding } from './sequences.ts';

export interface Conv1dTransposeOptions extends Omit<Conv1dOptions, 'padding'> {
  /** Default 'valid'. With 'same' the output is stride times the input. */
  readonly padding?: SequencePadding;
  /** Steps added at the end, 0 <= outputPadding < strides; default 0, or what 'same' needs. */
  readonly outputPadding?: number;
}

export interface Transpose1dConfig extends Omit<Conv1dConfig, 'padding'> {
  readonly padding: SequencePadding;
  readonly outputPadding?: number;
}

/** The convolution from the layer's output back to its input. */
function geometryOf(config: Transpose1dConfig, input: Shape, operation = 'conv1dTranspose'): ConvGeometry {
  const { filters, kernelSize, strides, dilationRate, padding, outputPadding, groups } = config;
  const row = rowShape(operation, input);
  checkOutput(operation, config, input);
  return transposedGeometry(operation, row, {
    filters,
    kernelSize: alongRow(kernelSize),
    strides: alongRow(strides),
    dilationRate: alongRow(dilationRate),
    padding: rowPadding(padding),
    groups,
    ...(outputPadding !== undefined && { outputPadding: [0, outputPadding] }),
  });
}

/** Throws ShapeError where the padding would take all of the output away, and where that is too large. */
function checkOutput(
  operation: string,
  { filters, kernelSize, strides, dilationRate, padding, outputPadding = 0 }: Transpose1dConfig,
  [length]: Shape,
): void {
  const full = (length! - 1) * strides + dilationRate * (kernelSize - 1) + 1 + outputPadding;
  const { left, right } = typeof padding === 'string' ? { left: 0, right: 0 } : padding;
  const outLength = padding === 'same' ? length! * strides : full - left - right;
  if (outLength >= 1) return checkShape(operation, 'output shape', [outLength, filters]);
  throw new ShapeError({
    operation,
    argument: 'output shape',
    expected: 'at least one step',
    received: String(outLength),
    hint: 'use less padding or a larger kernelSize',
  });
}

function checkOutputPadding(operation: string, value: number | undefined, strides: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value < strides)) return;
  throw new ConfigError({
    operation,
    argument: 'outputPadding',
    expected: `whole steps below the strides ${strides}`,
    received: formatValue(value),
  });
}

const geometryIn = ({ config, inputs }: ForwardContext<Transpose1dConfig>): ConvGeometry =>
  geometryOf(config, inputs[0]!.shape);

/**
 * Transposed convolution of sequences. Options as in Keras' Conv1DTranspose: filters, kernelSize, strides (1), padding
 * ('valid'), outputPadding, dilationRate (1), activation, useBias, initialisers; groups (1) besides.
 * Throws ConfigError for senseless options, ShapeError where nothing would remain.
 */
export const conv1dTranspose = defineLayer<Conv1dTransposeOptions, Transpose1dConfig>({
  type: 'conv1dTranspose',
  resolve(options, operation) {
    const { padding = 'valid', outputPadding } = options;
    const steps = resolveSteps(options, operation);
    checkOutputPadding(operation, outputPadding, steps.strides);
    return {
      ...steps,
      padding: checkSequencePadding(operation, padding),
      ...(outputPadding !== undefined && { outputPadding }),
      ...resolveWeights(options, operation),
    };
  },
  outputShape(config, [input], operation) {
    const g = geometryOf(config, input!, operation);
    return [g.inWidth, g.inChannels];
  },
  parameters(config, [input]) {
    const g = geometryOf(config, input!);
    return convParameters(config, g, g.inChannels, 1);
  },
  halo(config, [input]) {
    const geometry = geometryOf(config, input!);
    const gradOutput = inputHalo(geometry);
    return { input: gradOutputHalo(geometry), gradOutput, gradOutputForParameters: gradOutput };
  },
  following: followingActivation,
  forward: (context) => forwardTransposed(context, geometryIn(context)),
  backward: (context) => backwardTransposed(context, geometryIn(context)),
  multiplyAdds: (config, [input]) => multiplyAdds(geometryOf(config, input!)),
  examples: [
    { options: { filters: 3, kernelSize: 3, strides: 2, padding: 'same' }, inputShape: [5, 2] },
    {
      options: { filters: 4, kernelSize: 3, strides: 3, outputPadding: 2, activation: 'relu' },
      inputShape: [4, 5],
    },
    {
      options: { filters: 4, kernelSize: 2, dilationRate: 2, groups: 2, useBias: false },
      inputShape: [6, 6],
    },
  ],
});
