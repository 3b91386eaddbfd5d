/**
 * From the samples' sums to the gradients of gamma and beta, and to what the gradient of the input needs, for a range
 * of channels.
 *
 *   sums          f64 [n, 2, C], of batch-norm-sums.ts
 *   statistics    [groups, 3, C] (batch-norm.ts), of which inverse is read
 *   gradGamma     [C]; an argument only where `scale`
 *   gradBeta      [C]; an argument only where `center`
 *   coefficients  [groups, 2, C]: the means over a group of gradOutput, and of gradOutput * normalised input
 *
 * In f64, sums from +0 over the samples of a group in their order, and over the groups in theirs:
 *
 *   a = sum of sums[0],  b = (sum of sums[1]) * inverse
 *   coefficients = a / (P * samples), b / (P * samples), rounded to f32
 *   gradBeta = sum of a over the groups, gradGamma = sum of b, rounded to f32 (then + what they hold where
 *   `accumulate`, rounded again)
 */
import { PLANES, type SampleGroups, statisticsBuffer } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface BatchNormGradientsSpec extends SampleGroups {
  readonly kind: 'batchNormGradients';
  readonly channels: number;
  /** Pixels of a sample, P. */
  readonly pixels: number;
  readonly scale: boolean;
  readonly center: boolean;
  /** Whether the parameters' gradients are added to what they hold. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const batchNormGradientsFamily: KernelFamily<BatchNormGradientsSpec> = {
  kind: 'batchNormGradients',
  args(spec) {
    const { channels, scale, center, groups } = spec;
    const access = spec.accumulate ? 'inout' : 'out';
    return [
      { name: 'sums', access: 'in', type: 'f64', length: (count) => 2 * count * channels },
      statisticsBuffer('in', spec, channels),
      ...(scale ? [f32Buffer('gradGamma', access, () => channels)] : []),
      ...(center ? [f32Buffer('gradBeta', access, () => channels)] : []),
      f32Buffer('coefficients', 'out', () => groups * 2 * channels),
      { name: 'from', access: 'literal' },
      { name: 'length', access: 'literal' },
      { name: 'count', access: 'count' },
    ];
  },
  bind(spec, { f32, f64 }) {
    const { channels, pixels, scale, center, accumulate, groupSize } = spec;
    const write = (at: number, value: number) => {
      f32[at] = accumulate ? f(f32[at]! + f(value)) : value;
    };
    return (sumsBytes, statisticsBytes, ...rest) => {
      const gammaBytes = scale ? rest.shift()! : 0;
      const betaBytes = center ? rest.shift()! : 0;
      const [coefficientsBytes, from, length, count] = rest as [number, number, number, number];
      for (let c = from; c < from + length; c++) {
        let [gradGamma, gradBeta] = [0, 0];
        for (let first = 0, group = 0; first < count; first += groupSize, group++) {
          const samples = Math.min(groupSize, count - first);
          let [a, b] = [0, 0];
          for (let i = first; i < first + samples; i++) {
            const at = (sumsBytes! >>> 3) + 2 * i * channels + c;
            a += f64[at]!;
            b += f64[at + channels]!;
          }
          b *= f32[(statisticsBytes! >>> 2) + (group * PLANES + 1) * channels + c]!;
          const to = (coefficientsBytes >>> 2) + group * 2 * channels + c;
          f32[to] = a / (pixels * samples);
          f32[to + channels] = b / (pixels * samples);
          gradBeta += a;
          gradGamma += b;
        }
        if (scale) write((gammaBytes >>> 2) + c, gradGamma);
        if (center) write((betaBytes >>> 2) + c, gradBeta);
      }
    };
  },
};
