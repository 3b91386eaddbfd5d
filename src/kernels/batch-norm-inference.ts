/**
 * Batch normalisation's statistics for inference, from the moving averages.
 *
 *   gamma                         [C]; an argument only where `scale`, otherwise 1
 *   movingMean, movingVariance    [C]
 *   statistics                    [1, 3, C] (batch-norm.ts)
 *
 *   inverse = 1 / sqrt(movingVariance + epsilon) in f64; inverse and gamma * inverse are rounded to f32
 */
import { statisticsBuffer, writeStatistics } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface BatchNormInferenceSpec {
  readonly kind: 'batchNormInference';
  readonly channels: number;
  readonly epsilon: number;
  readonly scale: boolean;
}

export const batchNormInferenceFamily: KernelFamily<BatchNormInferenceSpec> = {
  kind: 'batchNormInference',
  args: ({ channels, scale }) => [
    ...(scale ? [f32Buffer('gamma', 'in', () => channels)] : []),
    f32Buffer('movingMean', 'in', () => channels),
    f32Buffer('movingVariance', 'in', () => channels),
    statisticsBuffer('out', { groups: 1, groupSize: 1 }, channels),
  ],
  bind({ channels, epsilon, scale }, { f32 }) {
    return (...args) => {
      const [gamma, means, variances, statistics] = (scale ? args : [0, ...args]).map(
        (bytes) => bytes >>> 2,
      ) as [number, number, number, number];
      for (let c = 0; c < channels; c++) {
        writeStatistics(f32, statistics + c, channels, {
          mean: f32[means + c]!,
          variance: f32[variances + c]!,
          epsilon,
          gamma: scale ? f32[gamma + c]! : 1,
        });
      }
    };
  },
};
