/**
 * Layer normalisation (Ba, Kiros, Hinton, "Layer Normalization", 2016): the channels of each pixel, or all elements of a
 * sample, to mean 0 and variance 1; then a gamma and a beta an element. It needs no batch, so training and inference agree.
 *   input, output [H, W, C] or [F]
 *   gamma, beta   [C] or [F] over the channels; [H, W, C] over the whole image
 *   forward:  y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over a set of a sample
 *   backward: with v = (x - mean) / sqrt(variance + epsilon) and h = gamma dY,
 *             dX = (h - mean(h) - v mean(h v)) / sqrt(variance + epsilon), means over the set
 */
import { ConfigError, formatValue } from '../errors.ts';
import { type NormalizedOver, setSizes } from '../kernels/layer-norm.ts';
import type { LayerNormBackwardSpec } from '../kernels/layer-norm-backward.ts';
import type { LayerNormForwardSpec } from '../kernels/layer-norm-forward.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';
import {
  type NormalizationConfig,
  type NormalizationOptions,
  normalizationParameters,
  resolveNormalization,
} from './normalization-options.ts';

/** The channels, or height, width and channels. */
type Axis = -1 | readonly [1, 2, 3];

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** What is normalised together: -1, the channels of a pixel (default), or [1, 2, 3], a whole image. */
  readonly axis?: Axis;
}

export interface LayerNormalizationConfig extends NormalizationConfig {
  readonly axis: Axis;
}

type Context = ForwardContext<LayerNormalizationConfig>;

function setsOf({ config, inputs }: Context) {
  const over: NormalizedOver = config.axis === -1 ? 'channels' : 'image';
  return { over, ...setSizes(inputs[0]!.view, over) };
}

function forward(context: Context): void {
  const { config, inputs, output, call } = context;
  const [input] = inputs;
  const { over, sets } = setsOf(context);
  const { epsilon, scale, center } = config;
  const views = { input: input!.view, output: output.view };
  const spec: LayerNormForwardSpec = { kind: 'layerNormForward', ...views, over, epsilon, scale, center };
  const names = [...(scale ? ['gamma'] : []), ...(center ? ['beta'] : [])];
  const parameters = names.map((name) => context.parameter(name));
  const statistics = context.saved('statistics', 2 * sets);
  call(spec, [input!.origin, ...parameters, statistics, output.origin, 'count']);
}

function backward(context: BackwardContext<LayerNormalizationConfig>): void {
  const { config, inputs, gradOutput, call } = context;
  const input = inputs[0]!;
  const { over, sets, parameters } = setsOf(context);
  const gradGamma = config.scale ? context.gradParameter('gamma') : undefined;
  const gradBeta = config.center ? context.gradParameter('beta') : undefined;
  const gradInput = context.gradInput();
  // Where nobody needs the gradient of the input, it overwrites that of the output.
  const target = gradInput ?? gradOutput;
  const spec: LayerNormBackwardSpec = {
    kind: 'layerNormBackward',
    input: input.view,
    gradOutput: gradOutput.view,
    gradInput: target.view,
    over,
    scale: config.scale,
    gradScale: gradGamma !== undefined,
    gradCenter: gradBeta !== undefined,
    accumulate: gradInput?.accumulate ?? false,
    accumulateParameters: gradGamma?.accumulate ?? gradBeta?.accumulate ?? false,
  };
  const gamma = config.scale ? [context.parameter('gamma')] : [];
  const gradients = [gradGamma, gradBeta].flatMap((each) => (each === undefined ? [] : [each.origin]));
  const statistics = context.saved('statistics', 2 * sets);
  const sums = context.scratch(4 * parameters);
  const operands = [input.origin, gradOutput.origin, ...gamma, statistics, ...gradients, sums];
  call(spec, [...operands, target.origin, 'count']);
}

function resolveAxis(operation: string, axis: unknown): Axis {
  if (axis === -1) return axis;
  if (Array.isArray(axis) && axis.join() === '1,2,3') return [1, 2, 3];
  throw new ConfigError({
    operation,
    argument: 'axis',
    expected: '-1, the channels, or [1, 2, 3], a whole image',
    received: formatValue(axis),
  });
}

/**
 * Normalises each pixel over its channels, or each image, as in Keras: [H, W, C] or [F] to the same. Options: axis (-1),
 * epsilon (1e-3), center and scale (true), initialisers. Throws ConfigError.
 */
export const layerNormalization = defineLayer<LayerNormalizationOptions, LayerNormalizationConfig>({
  type: 'layerNormalization',
  resolve: (options, operation) => ({
    axis: resolveAxis(operation, options.axis ?? -1),
    ...resolveNormalization(options, operation),
  }),
  outputShape: (_config, [input]) => input!,
  parameters: (config, [input]) =>
    normalizationParameters(config, config.axis === -1 ? [input!.at(-1)!] : input!),
  forward,
  backward,
  examples: [
    { options: {}, inputShape: [3, 4, 5] },
    { options: { axis: [1, 2, 3] }, inputShape: [2, 3, 9] },
    { options: { scale: false, epsilon: 1e-5 }, inputShape: [17] },
    { options: { axis: [1, 2, 3], center: false }, inputShape: [7] },
  ],
});
