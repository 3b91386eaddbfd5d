/**
 * From a shard's sums to its gradients of gamma and beta, and to what the gradient of the input needs of each sample.
 *
 *   sums          f64 [n, 2, C], of batch-norm-sums.ts
 *   statistics    [n, 3, C], of group-norm-statistics.ts, of which inverse is read
 *   gamma         [C]; an argument only where `scale`, otherwise 1
 *   gradGamma     [C]; an argument only where `gradScale`
 *   gradBeta      [C]; an argument only where `gradCenter`
 *   coefficients  [n, 2, C]: the means over the channel's group of gamma * gradOutput, and of that times the normalised
 *                 input
 *
 * In f64, sums from +0 over the channels of a group, and over the samples, in their order:
 *
 *   a = sum of gamma * sums[0],  b = (sum of gamma * sums[1]) * inverse
 *   coefficients = a / (P * channelsPerGroup), b / (P * channelsPerGroup), rounded to f32
 *   gradGamma = sum of sums[1] * inverse, gradBeta = sum of sums[0], rounded to f32 (then + what they hold where
 *   `accumulate`, rounded again)
 */
import { PLANES } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface GroupNormGradientsSpec {
  readonly kind: 'groupNormGradients';
  readonly channels: number;
  /** A divisor of `channels`. */
  readonly channelsPerGroup: number;
  /** Pixels of a sample, P. */
  readonly pixels: number;
  /** Whether there is a gamma. */
  readonly scale: boolean;
  readonly gradScale: boolean;
  readonly gradCenter: boolean;
  /** Whether the parameters' gradients are added to what they hold. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const groupNormGradientsFamily: KernelFamily<GroupNormGradientsSpec> = {
  kind: 'groupNormGradients',
  args({ channels, scale, gradScale, gradCenter, accumulate }) {
    const access = accumulate ? 'inout' : 'out';
    return [
      { name: 'sums', access: 'in', type: 'f64', length: (count) => 2 * count * channels },
      f32Buffer('statistics', 'in', (count) => count * PLANES * channels),
      ...(scale ? [f32Buffer('gamma', 'in', () => channels)] : []),
      ...(gradScale ? [f32Buffer('gradGamma', access, () => channels)] : []),
      ...(gradCenter ? [f32Buffer('gradBeta', access, () => channels)] : []),
      f32Buffer('coefficients', 'out', (count) => count * 2 * channels),
      { name: 'count', access: 'count' },
    ];
  },
  bind(spec, { f32, f64 }) {
    const { channels, channelsPerGroup, pixels, scale, gradScale, gradCenter, accumulate } = spec;
    const size = pixels * channelsPerGroup;
    const write = (at: number, value: number) => {
      f32[at] = accumulate ? f(f32[at]! + f(value)) : value;
    };
    return (sumsBytes, statisticsBytes, ...rest) => {
      const [gammaBytes, gradGammaBytes, gradBetaBytes] = [scale, gradScale, gradCenter].map((there) =>
        there ? rest.shift()! : 0,
      ) as [number, number, number];
      const [coefficientsBytes, count] = rest as [number, number];
      const inverseAt = (n: number, c: number) => (statisticsBytes! >>> 2) + (n * PLANES + 1) * channels + c;
      const sumAt = (n: number, c: number) => (sumsBytes! >>> 3) + 2 * n * channels + c;
      for (let n = 0; n < count; n++) {
        for (let from = 0; from < channels; from += channelsPerGroup) {
          let [a, b] = [0, 0];
          for (let c = from; c < from + channelsPerGroup; c++) {
            const gamma = scale ? f32[(gammaBytes >>> 2) + c]! : 1;
            a += gamma * f64[sumAt(n, c)]!;
            b += gamma * f64[sumAt(n, c) + channels]!;
          }
          b *= f32[inverseAt(n, from)]!;
          const to = (coefficientsBytes >>> 2) + 2 * n * channels;
          f32.fill(a / size, to + from, to + from + channelsPerGroup);
          f32.fill(b / size, to + channels + from, to + channels + from + channelsPerGroup);
        }
      }
      for (let c = 0; c < channels; c++) {
        let [gradGamma, gradBeta] = [0, 0];
        for (let n = 0; n < count; n++) {
          gradGamma += f64[sumAt(n, c) + channels]! * f32[inverseAt(n, c)]!;
          gradBeta += f64[sumAt(n, c)]!;
        }
        if (gradScale) write((gradGammaBytes >>> 2) + c, gradGamma);
        if (gradCenter) write((gradBetaBytes >>> 2) + c, gradBeta);
      }
    };
  },
};
