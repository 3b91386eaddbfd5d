/**
 * Batch normalisation's statistics (Ioffe, Szegedy, "Batch Normalization", 2015, algorithm 1) from the moments of
 * the samples, for a range of channels.
 *
 *   moments     f64 [n, 2, C], of channel-moments.ts
 *   gamma       [C]; an argument only where `scale`, otherwise 1
 *   statistics  [groups, 3, C] (batch-norm.ts); groups without a sample are not written
 *   batch       f64 [2, C]: mean and variance over all samples, for the moving averages
 *
 * In f64, with P pixels a sample, the samples i = 0, 1, ... of a group in their order (Chan, Golub, LeVeque 1979):
 *
 *   d = mean_i - mean;  mean = mean + d / (i + 1);  spread = spread + (spread_i + d * d * (P * i / (i + 1)))
 *   variance = spread / (P * samples)
 *   inverse  = 1 / sqrt(variance + epsilon)
 *
 * each starting at +0; mean, inverse and gamma * inverse are then rounded to f32. `batch` is the mean of the groups'
 * means and variances, weighted by their samples and summed in the order of the groups. The variance is the biased
 * one, as in Keras.
 */
import { PLANES, type SampleGroups, statisticsBuffer, writeStatistics } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface BatchNormStatisticsSpec extends SampleGroups {
  readonly kind: 'batchNormStatistics';
  readonly channels: number;
  /** Pixels of a sample, P. */
  readonly pixels: number;
  readonly epsilon: number;
  /** Whether there is a gamma. */
  readonly scale: boolean;
}

export const batchNormStatisticsFamily: KernelFamily<BatchNormStatisticsSpec> = {
  kind: 'batchNormStatistics',
  args: (spec) => [
    { name: 'moments', access: 'in', type: 'f64', length: (count) => 2 * count * spec.channels },
    ...(spec.scale ? [f32Buffer('gamma', 'in', () => spec.channels)] : []),
    statisticsBuffer('out', spec, spec.channels),
    { name: 'batch', access: 'out', type: 'f64', length: () => 2 * spec.channels },
    { name: 'from', access: 'literal' },
    { name: 'length', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32, f64 }) {
    const { channels, pixels, epsilon, groupSize } = spec;
    return (momentsBytes, ...rest) => {
      const [gammaBytes, statisticsBytes, batchBytes, from, length, count] = (
        spec.scale ? rest : [0, ...rest]
      ) as [number, number, number, number, number, number];
      const batch = batchBytes >>> 3;
      for (let c = from; c < from + length; c++) {
        const gamma = spec.scale ? f32[(gammaBytes >>> 2) + c]! : 1;
        let [batchMean, batchVariance] = [0, 0];
        for (let first = 0, group = 0; first < count; first += groupSize, group++) {
          const samples = Math.min(groupSize, count - first);
          let [mean, spread] = [0, 0];
          for (let i = 0; i < samples; i++) {
            const at = (momentsBytes! >>> 3) + 2 * (first + i) * channels + c;
            const distance = f64[at]! - mean;
            mean += distance / (i + 1);
            spread += f64[at + channels]! + distance * distance * ((pixels * i) / (i + 1));
          }
          const variance = spread / (pixels * samples);
          const to = (statisticsBytes >>> 2) + group * PLANES * channels + c;
          writeStatistics(f32, to, channels, { mean, variance, epsilon, gamma });
          batchMean += (samples / count) * mean;
          batchVariance += (samples / count) * variance;
        }
        f64[batch + c] = batchMean;
        f64[batch + channels + c] = batchVariance;
      }
    };
  },
};
