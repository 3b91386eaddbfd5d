/**
 * Batch normalisation (Ioffe, Szegedy, "Batch Normalization", 2015).
 *   input, output [H, W, C], [L, C] or [F]; gamma, beta, movingMean, movingVariance [C]
 *   forward:  y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance of a channel over all pixels of
 *             all samples of the batch while training, the moving averages of them otherwise
 *   backward: with n = (x - mean) / sqrt(variance + epsilon), and means over the same pixels,
 *             dbeta = sum of dY, dgamma = sum of dY n, dX = gamma / sqrt(variance + epsilon) (dY - mean(dY) - n mean(dY n))
 * In training the shards meet twice: for the statistics, and for the means of the backward pass. Both are summed in
 * f64 over the samples in their order, so they depend neither on shards nor on workers.
 */
import { ConfigError } from '../errors.ts';
import { PLANES } from '../kernels/batch-norm.ts';
import type { BatchNormBackwardSpec } from '../kernels/batch-norm-backward.ts';
import type { BatchNormForwardSpec } from '../kernels/batch-norm-forward.ts';
import type { BatchNormGradientsSpec } from '../kernels/batch-norm-gradients.ts';
import type { BatchNormInferenceSpec } from '../kernels/batch-norm-inference.ts';
import type { BatchNormStatisticsSpec } from '../kernels/batch-norm-statistics.ts';
import type { BatchNormSumsSpec } from '../kernels/batch-norm-sums.ts';
import type { ChannelMomentsSpec } from '../kernels/channel-moments.ts';
import type { MovingAverageSpec } from '../kernels/moving-average.ts';
import { checkInitializer, type Initializer } from '../tensor/initializers.ts';
import {
  type BackwardContext,
  type BufferRef,
  defineLayer,
  type ForwardContext,
  type Operand,
} from './layer.ts';
import { checkCount } from './options.ts';

export interface BatchNormalizationOptions {
  /** The share of a moving average that a step keeps, 0 to 1; default 0.99. */
  readonly momentum?: number;
  /** Added to the variance; default 1e-3. */
  readonly epsilon?: number;
  /** Whether there is a beta; default true. */
  readonly center?: boolean;
  /** Whether there is a gamma; default true. */
  readonly scale?: boolean;
  /** Default 'zeros'. */
  readonly betaInitializer?: Initializer;
  /** Default 'ones'. */
  readonly gammaInitializer?: Initializer;
  /** Default 'zeros'. */
  readonly movingMeanInitializer?: Initializer;
  /** Default 'ones'. */
  readonly movingVarianceInitializer?: Initializer;
  /**
   * Samples, in the order of the batch, that are normalised together while training; the last ones may be fewer.
   * Default: the whole batch.
   */
  readonly ghostBatchSize?: number;
}

export interface BatchNormalizationConfig {
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly betaInitializer: Initializer;
  readonly gammaInitializer: Initializer;
  readonly movingMeanInitializer: Initializer;
  readonly movingVarianceInitializer: Initializer;
  readonly ghostBatchSize?: number;
}

type Context = ForwardContext<BatchNormalizationConfig>;

/** Channels whose statistics one unit computes; a choice of speed, not of bits. */
const CHANNELS_PER_UNIT = 32;

/** What the kernels' specs share. */
function sizes({ config, inputs, batchSize }: Context) {
  const { height, width, channels } = inputs[0]!.view;
  const groupSize = Math.min(config.ghostBatchSize ?? batchSize, batchSize);
  return { channels, pixels: height * width, groupSize, groups: Math.ceil(batchSize / groupSize) };
}

/** One unit a range of channels; `operands` come before the range, and 'count' after it. */
function channelUnits(spec: BatchNormStatisticsSpec | BatchNormGradientsSpec, operands: readonly Operand[]) {
  const units = [];
  for (let from = 0; from < spec.channels; from += CHANNELS_PER_UNIT) {
    const length = Math.min(CHANNELS_PER_UNIT, spec.channels - from);
    units.push([{ spec, operands: [...operands, from, length, 'count' as const] }]);
  }
  return units;
}

function statisticsOf(context: Context): BufferRef {
  const { channels, groups } = sizes(context);
  return context.shared('statistics', groups * PLANES * channels);
}

/** The statistics of the batch, and the moving averages' step towards them. */
function batchStatistics(context: Context): BufferRef {
  const { config, inputs, call } = context;
  const size = sizes(context);
  const moments = context.saved('moments', 4 * size.channels);
  const spec: ChannelMomentsSpec = { kind: 'channelMoments', input: inputs[0]!.view };
  call(spec, [inputs[0]!.origin, moments, 'count']);
  const { scale, epsilon } = config;
  const statistics = statisticsOf(context);
  const batch = context.shared('batch', 4 * size.channels);
  const gamma = scale ? [context.parameter('gamma')] : [];
  const combine: BatchNormStatisticsSpec = { kind: 'batchNormStatistics', ...size, epsilon, scale };
  context.meet(channelUnits(combine, [moments, ...gamma, statistics, batch]));
  const move: MovingAverageSpec = { kind: 'movingAverage', momentum: config.momentum };
  const variances = { ...batch, offsetBytes: batch.offsetBytes + 8 * size.channels };
  context.whileUpdating([
    { spec: move, operands: [context.parameter('movingMean'), batch, size.channels] },
    { spec: move, operands: [context.parameter('movingVariance'), variances, size.channels] },
  ]);
  return statistics;
}

/** The statistics that the moving averages make. */
function movingStatistics(context: Context): BufferRef {
  const { scale, epsilon } = context.config;
  const { channels } = sizes(context);
  const spec: BatchNormInferenceSpec = { kind: 'batchNormInference', channels, epsilon, scale };
  const names = [...(scale ? ['gamma'] : []), 'movingMean', 'movingVariance'];
  return context.prepared('statistics', names, PLANES * channels, spec);
}

/** Whether the statistics are the batch's: a frozen layer keeps to its moving averages, as in Keras. */
function usesBatch({ mode, trainable }: Context): boolean {
  return mode === 'train' && trainable;
}

function forward(context: Context): void {
  normalize(context, usesBatch(context) ? batchStatistics(context) : movingStatistics(context));
}

/** The output once more, by the statistics that the forward pass has left. */
function recompute(context: Context): void {
  normalize(context, usesBatch(context) ? statisticsOf(context) : movingStatistics(context));
}

function normalize(context: Context, statistics: BufferRef): void {
  const { config, inputs, output, call } = context;
  const { groups, groupSize } = usesBatch(context)
    ? sizes(context)
    : { groups: 1, groupSize: context.batchSize };
  const spec: BatchNormForwardSpec = {
    kind: 'batchNormForward',
    input: inputs[0]!.view,
    output: output.view,
    center: config.center,
    groups,
    groupSize,
  };
  const beta = config.center ? [context.parameter('beta')] : [];
  call(spec, [inputs[0]!.origin, statistics, ...beta, output.origin, 'firstSample', 'count']);
}

function backward(context: BackwardContext<BatchNormalizationConfig>): void {
  const { config, inputs, gradOutput, call } = context;
  const input = inputs[0]!;
  const { groups, groupSize, channels, pixels } = sizes(context);
  const views = { input: input.view, gradOutput: gradOutput.view, groups, groupSize };
  if (!usesBatch(context)) {
    frozenBackward(context);
    return;
  }
  const statistics = statisticsOf(context);
  const sums = context.saved('sums', 4 * channels);
  const summed: BatchNormSumsSpec = { kind: 'batchNormSums', ...views };
  call(summed, [input.origin, gradOutput.origin, statistics, sums, 'firstSample', 'count']);
  const coefficients = context.shared('coefficients', groups * 2 * channels);
  const gamma = config.scale ? context.gradParameter('gamma') : undefined;
  const beta = config.center ? context.gradParameter('beta') : undefined;
  const combine: BatchNormGradientsSpec = {
    kind: 'batchNormGradients',
    channels,
    pixels,
    groups,
    groupSize,
    scale: gamma !== undefined,
    center: beta !== undefined,
    accumulate: gamma?.accumulate ?? beta?.accumulate ?? false,
  };
  const gradients = [gamma, beta].flatMap((gradient) => (gradient === undefined ? [] : [gradient.origin]));
  const units = channelUnits(combine, [sums, statistics, ...gradients, coefficients]);
  const gradInput = context.gradInput();
  if (gradInput === undefined) {
    for (const unit of units) context.batchUnit(unit);
    return;
  }
  context.meet(units);
  const spec: BatchNormBackwardSpec = {
    kind: 'batchNormBackward',
    ...views,
    gradInput: gradInput.view,
    accumulate: gradInput.accumulate,
  };
  const operands = [input.origin, gradOutput.origin, statistics, coefficients] as const;
  call(spec, [...operands, gradInput.origin, 'firstSample', 'count']);
}

/** With constant statistics dX = scale dY: the means of the whole formula are a buffer that nobody writes, zero. */
function frozenBackward(context: BackwardContext<BatchNormalizationConfig>): void {
  const { inputs, gradOutput, call, batchSize } = context;
  const input = inputs[0]!;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: BatchNormBackwardSpec = {
    kind: 'batchNormBackward',
    input: input.view,
    gradOutput: gradOutput.view,
    gradInput: gradInput.view,
    accumulate: gradInput.accumulate,
    groups: 1,
    groupSize: batchSize,
  };
  const zeros = context.shared('zeros', 2 * input.view.channels);
  const operands = [input.origin, gradOutput.origin, movingStatistics(context), zeros] as const;
  call(spec, [...operands, gradInput.origin, 'firstSample', 'count']);
}

/** Throws ConfigError unless 0 <= value <= most. */
function checkRange(operation: string, argument: string, value: number, most: number): void {
  if (value >= 0 && value <= most && value < Infinity) return;
  const expected = most === Infinity ? 'a finite number from 0 on' : `a number from 0 to ${most}`;
  throw new ConfigError({ operation, argument, expected, received: String(value) });
}

/**
 * Normalises each channel over the batch, as in Keras: [H, W, C] (or [L, C], [F]) to the same. Options: momentum (0.99), epsilon
 * (1e-3), center and scale (true), initialisers, ghostBatchSize (the whole batch). The moving averages are buffers:
 * `getWeights` and files have them, optimizers do not. The variance is the biased one. Throws ConfigError.
 */
export const batchNormalization = defineLayer<BatchNormalizationOptions, BatchNormalizationConfig>({
  type: 'batchNormalization',
  resolve(options, operation) {
    const { momentum = 0.99, epsilon = 1e-3, center = true, scale = true, ghostBatchSize } = options;
    checkRange(operation, 'momentum', momentum, 1);
    checkRange(operation, 'epsilon', epsilon, Infinity);
    if (ghostBatchSize !== undefined) checkCount(operation, 'ghostBatchSize', ghostBatchSize);
    const initializer = (argument: keyof BatchNormalizationOptions, standard: Initializer) =>
      checkInitializer(operation, argument, (options[argument] as Initializer | undefined) ?? standard);
    return {
      momentum,
      epsilon,
      center,
      scale,
      betaInitializer: initializer('betaInitializer', 'zeros'),
      gammaInitializer: initializer('gammaInitializer', 'ones'),
      movingMeanInitializer: initializer('movingMeanInitializer', 'zeros'),
      movingVarianceInitializer: initializer('movingVarianceInitializer', 'ones'),
      ...(ghostBatchSize !== undefined && { ghostBatchSize }),
    };
  },
  outputShape: (_config, [input]) => input!,
  parameters(config, [input]) {
    const shape = [input!.at(-1)!];
    const gradient = 'batch' as const;
    return [
      ...(config.scale ? [{ name: 'gamma', shape, initializer: config.gammaInitializer, gradient }] : []),
      ...(config.center ? [{ name: 'beta', shape, initializer: config.betaInitializer, gradient }] : []),
      { name: 'movingMean', shape, initializer: config.movingMeanInitializer, trained: false },
      { name: 'movingVariance', shape, initializer: config.movingVarianceInitializer, trained: false },
    ];
  },
  batchStatistics: true,
  forward,
  recompute,
  backward,
  examples: [
    { options: {}, inputShape: [3, 4, 5] },
    { options: { ghostBatchSize: 2, scale: false }, inputShape: [2, 2, 9] },
    { options: { center: false, epsilon: 1e-5 }, inputShape: [7] },
  ],
});
