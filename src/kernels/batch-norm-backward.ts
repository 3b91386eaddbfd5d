/**
 * The gradient of batch normalisation for its input (Ioffe, Szegedy 2015, section 3, with the sums carried out).
 *
 *   input, gradOutput  [n, H, W, C]
 *   statistics         [groups, 3, C] (batch-norm.ts)
 *   coefficients       [groups, 2, C], of batch-norm-gradients.ts: the means m of dY and k of dY * normalised input
 *   gradInput          [n, H, W, C]; may be gradOutput, in the same layout
 *   firstSample        the first sample's index in the batch
 *
 *   normalised = (input - mean) * inverse
 *   gradInput  = scale * ((gradOutput - m) - normalised * k)      (+ gradInput where `accumulate`)
 *
 * every operation rounded to f32.
 */
import type { View } from '../tensor/view.ts';
import { PLANES, type SampleGroups, statisticsBuffer } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface BatchNormBackwardSpec extends SampleGroups {
  readonly kind: 'batchNormBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const batchNormBackwardFamily: KernelFamily<BatchNormBackwardSpec> = {
  kind: 'batchNormBackward',
  args: (spec) => [
    viewBuffer('input', 'in', spec.input),
    viewBuffer('gradOutput', 'in', spec.gradOutput),
    statisticsBuffer('in', spec, spec.input.channels),
    f32Buffer('coefficients', 'in', () => spec.groups * 2 * spec.input.channels),
    viewBuffer('gradInput', spec.accumulate ? 'inout' : 'out', spec.gradInput),
    { name: 'firstSample', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind({ input, gradOutput, gradInput, accumulate, groupSize }, { f32 }) {
    checkSameImages('batchNormBackward', { input, gradOutput, gradInput });
    const { channels } = input;
    const views = [input, gradOutput, gradInput];
    return (
      inputBytes,
      gradOutputBytes,
      statisticsBytes,
      coefficientsBytes,
      gradInputBytes,
      firstSample,
      count,
    ) => {
      const origins = [inputBytes!, gradOutputBytes!, gradInputBytes!];
      for (let n = 0; n < count!; n++) {
        const group = Math.floor((firstSample! + n) / groupSize);
        const mean = (statisticsBytes! >>> 2) + group * PLANES * channels;
        const [inverse, scale] = [mean + channels, mean + 2 * channels];
        const meanGradient = (coefficientsBytes! >>> 2) + group * 2 * channels;
        const meanProduct = meanGradient + channels;
        const images = origins.map((origin, i) => origin + 4 * n * views[i]!.imageStride);
        forEachPixel(views, images, 1, ([x, g, to]) => {
          for (let c = 0; c < channels; c++) {
            const normalised = f(f(f32[x! + c]! - f32[mean + c]!) * f32[inverse + c]!);
            const centred = f(f32[g! + c]! - f32[meanGradient + c]!);
            const value = f(f32[scale + c]! * f(centred - f(normalised * f32[meanProduct + c]!)));
            f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
          }
        });
      }
    };
  },
  flops: ({ input, accumulate }, count) => (accumulate ? 7 : 6) * count * elementsPerImage(input),
};
