/**
 * Group normalisation (Wu, He, "Group Normalization", 2018): each sample's channels in groups, each group over all pixels,
 * to mean 0 and variance 1; then a gamma and a beta a channel. It needs no batch, so training and inference agree.
 *   input, output [H, W, C] or [F]; gamma, beta [C]
 *   forward:  y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over a group of a sample
 *   backward: with v = (x - mean) / sqrt(variance + epsilon) and h = gamma dY,
 *             dX = (h - mean(h) - v mean(h v)) / sqrt(variance + epsilon), means over the group
 */
import { ConfigError } from '../errors.ts';
import { PLANES } from '../kernels/batch-norm.ts';
import type { BatchNormForwardSpec } from '../kernels/batch-norm-forward.ts';
import type { BatchNormSumsSpec } from '../kernels/batch-norm-sums.ts';
import type { ChannelMomentsSpec } from '../kernels/channel-moments.ts';
import type { GroupNormBackwardSpec } from '../kernels/group-norm-backward.ts';
import type { GroupNormGradientsSpec } from '../kernels/group-norm-gradients.ts';
import type { GroupNormStatisticsSpec } from '../kernels/group-norm-statistics.ts';
import { type BackwardContext, type BufferRef, defineLayer, type ForwardContext } from './layer.ts';
import {
  type NormalizationConfig,
  type NormalizationOptions,
  normalizationParameters,
  resolveNormalization,
} from './normalization-options.ts';

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Groups, a divisor of the channels; -1: one a channel (instance normalisation). Default 32. */
  readonly groups?: number;
}

export interface GroupNormalizationConfig extends NormalizationConfig {
  readonly groups: number;
}

type Context = ForwardContext<GroupNormalizationConfig>;

/** What the kernels' specs share. */
function sizes({ config, inputs }: Context) {
  const { height, width, channels } = inputs[0]!.view;
  const channelsPerGroup = config.groups === -1 ? 1 : channels / config.groups;
  return { channels, channelsPerGroup, pixels: height * width };
}

/** For the kernels of batch normalisation each sample is a group; samples count from the shard's first one. */
function eachSample({ batchSize }: Context) {
  return { groups: batchSize, groupSize: 1 };
}

const FIRST_SAMPLE = 0;

function statisticsOf(context: Context): BufferRef {
  return context.saved('statistics', PLANES * sizes(context).channels);
}

function forward(context: Context): void {
  const { config, inputs, output, call } = context;
  const [input] = inputs;
  const size = sizes(context);
  const moments = context.saved('moments', 4 * size.channels);
  const measure: ChannelMomentsSpec = { kind: 'channelMoments', input: input!.view };
  call(measure, [input!.origin, moments, 'count']);
  const { epsilon, scale, center } = config;
  const statistics = statisticsOf(context);
  const gamma = scale ? [context.parameter('gamma')] : [];
  const combine: GroupNormStatisticsSpec = { kind: 'groupNormStatistics', ...size, epsilon, scale };
  call(combine, [moments, ...gamma, statistics, 'count']);
  const normalize: BatchNormForwardSpec = {
    kind: 'batchNormForward',
    input: input!.view,
    output: output.view,
    center,
    ...eachSample(context),
  };
  const beta = center ? [context.parameter('beta')] : [];
  call(normalize, [input!.origin, statistics, ...beta, output.origin, FIRST_SAMPLE, 'count']);
}

function backward(context: BackwardContext<GroupNormalizationConfig>): void {
  const { config, inputs, gradOutput, call } = context;
  const input = inputs[0]!;
  const size = sizes(context);
  const statistics = statisticsOf(context);
  const sums = context.saved('sums', 4 * size.channels);
  const views = { input: input.view, gradOutput: gradOutput.view };
  const summed: BatchNormSumsSpec = { kind: 'batchNormSums', ...views, ...eachSample(context) };
  call(summed, [input.origin, gradOutput.origin, statistics, sums, FIRST_SAMPLE, 'count']);
  const coefficients = context.saved('coefficients', 2 * size.channels);
  const gradGamma = config.scale ? context.gradParameter('gamma') : undefined;
  const gradBeta = config.center ? context.gradParameter('beta') : undefined;
  const combine: GroupNormGradientsSpec = {
    kind: 'groupNormGradients',
    ...size,
    scale: config.scale,
    gradScale: gradGamma !== undefined,
    gradCenter: gradBeta !== undefined,
    accumulate: gradGamma?.accumulate ?? gradBeta?.accumulate ?? false,
  };
  const gamma = config.scale ? [context.parameter('gamma')] : [];
  const gradients = [gradGamma, gradBeta].flatMap((each) => (each === undefined ? [] : [each.origin]));
  call(combine, [sums, statistics, ...gamma, ...gradients, coefficients, 'count']);
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const { accumulate } = gradInput;
  const spec: GroupNormBackwardSpec = {
    kind: 'groupNormBackward',
    ...views,
    gradInput: gradInput.view,
    accumulate,
  };
  const operands = [input.origin, gradOutput.origin, statistics, coefficients] as const;
  call(spec, [...operands, gradInput.origin, 'count']);
}

/**
 * Normalises groups of each sample's channels, as in Keras: [H, W, C] or [F] to the same. Options: groups (32), epsilon
 * (1e-3), center and scale (true), initialisers. Throws ConfigError where the groups do not divide the channels.
 */
export const groupNormalization = defineLayer<GroupNormalizationOptions, GroupNormalizationConfig>({
  type: 'groupNormalization',
  resolve(options, operation) {
    const { groups = 32 } = options;
    if (!(Number.isInteger(groups) && (groups >= 1 || groups === -1))) {
      throw new ConfigError({
        operation,
        argument: 'groups',
        expected: 'a positive integer, or -1 for one group a channel',
        received: String(groups),
      });
    }
    return { groups, ...resolveNormalization(options, operation) };
  },
  outputShape({ groups }, [input], operation) {
    const channels = input!.at(-1)!;
    if (groups === -1 || channels % groups === 0) return input!;
    throw new ConfigError({
      operation,
      argument: 'groups',
      expected: `a divisor of ${channels}, the channels of the input`,
      received: String(groups),
    });
  },
  parameters: (config, [input]) => normalizationParameters(config, [input!.at(-1)!]),
  forward,
  backward,
  examples: [
    { options: { groups: 3 }, inputShape: [3, 4, 6] },
    { options: { groups: -1, scale: false }, inputShape: [2, 3, 5] },
    { options: { groups: 2, center: false, epsilon: 1e-5 }, inputShape: [8] },
  ],
});
