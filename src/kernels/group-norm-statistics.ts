/**
 * Group normalisation's statistics (Wu, He, "Group Normalization", 2018) of each sample, from the moments of its
 * channels; laid out as those of batch normalisation with a group a sample, so that batch-norm-forward.ts normalises and
 * batch-norm-sums.ts sums by them.
 *
 *   moments     f64 [n, 2, C], of channel-moments.ts
 *   gamma       [C]; an argument only where `scale`, otherwise 1
 *   statistics  [n, 3, C] (batch-norm.ts): mean and inverse of the channel's group, gamma * inverse
 *
 * In f64, with P pixels, the channels j = 0, 1, ... of a group in their order (Chan, Golub, LeVeque 1979):
 *
 *   d = mean_j - mean;  mean = mean + d / (j + 1);  spread = spread + (spread_j + d * d * (P * j / (j + 1)))
 *   variance = spread / (P * channelsPerGroup);  inverse = 1 / sqrt(variance + epsilon)
 *
 * each starting at +0; mean, inverse and gamma * inverse are then rounded to f32.
 */
import { PLANES, writeStatistics } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface GroupNormStatisticsSpec {
  readonly kind: 'groupNormStatistics';
  readonly channels: number;
  /** A divisor of `channels`. */
  readonly channelsPerGroup: number;
  /** Pixels of a sample, P. */
  readonly pixels: number;
  readonly epsilon: number;
  /** Whether there is a gamma. */
  readonly scale: boolean;
}

export const groupNormStatisticsFamily: KernelFamily<GroupNormStatisticsSpec> = {
  kind: 'groupNormStatistics',
  args: ({ channels, scale }) => [
    { name: 'moments', access: 'in', type: 'f64', length: (count) => 2 * count * channels },
    ...(scale ? [f32Buffer('gamma', 'in', () => channels)] : []),
    f32Buffer('statistics', 'out', (count) => count * PLANES * channels),
    { name: 'count', access: 'count' },
  ],
  bind({ channels, channelsPerGroup, pixels, epsilon, scale }, { f32, f64 }) {
    return (momentsBytes, ...rest) => {
      const [gammaBytes, statisticsBytes, count] = (scale ? rest : [0, ...rest]) as [number, number, number];
      for (let n = 0; n < count; n++) {
        const moments = (momentsBytes! >>> 3) + 2 * n * channels;
        const statistics = (statisticsBytes >>> 2) + n * PLANES * channels;
        for (let from = 0; from < channels; from += channelsPerGroup) {
          let [mean, spread] = [0, 0];
          for (let j = 0; j < channelsPerGroup; j++) {
            const distance = f64[moments + from + j]! - mean;
            mean += distance / (j + 1);
            const between = distance * distance * ((pixels * j) / (j + 1));
            spread += f64[moments + channels + from + j]! + between;
          }
          const variance = spread / (pixels * channelsPerGroup);
          for (let c = from; c < from + channelsPerGroup; c++) {
            const gamma = scale ? f32[(gammaBytes >>> 2) + c]! : 1;
            writeStatistics(f32, statistics + c, channels, { mean, variance, epsilon, gamma });
          }
        }
      }
    };
  },
};
