/**
 * What the gradients of batch normalisation need of each sample, in f64.
 *
 *   input, gradOutput  [n, H, W, C]
 *   statistics         [groups, 3, C] (batch-norm.ts), of which the mean is read
 *   sums               f64 [n, 2, C]: sum of gradOutput, and sum of gradOutput * (input - mean)
 *   firstSample        the first sample's index in the batch
 *
 * Sums start at +0, in the order y, x; every operation is one of f64.
 */
import type { View } from '../tensor/view.ts';
import { PLANES, type SampleGroups, statisticsBuffer } from './batch-norm.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface BatchNormSumsSpec extends SampleGroups {
  readonly kind: 'batchNormSums';
  readonly input: View;
  readonly gradOutput: View;
}

export const batchNormSumsFamily: KernelFamily<BatchNormSumsSpec> = {
  kind: 'batchNormSums',
  args: (spec) => [
    viewBuffer('input', 'in', spec.input),
    viewBuffer('gradOutput', 'in', spec.gradOutput),
    statisticsBuffer('in', spec, spec.input.channels),
    { name: 'sums', access: 'out', type: 'f64', length: (count) => 2 * count * spec.input.channels },
    { name: 'firstSample', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind({ input, gradOutput, groupSize }, { f32, f64 }) {
    checkSameImages('batchNormSums', { input, gradOutput });
    const { channels } = input;
    return (inputBytes, gradOutputBytes, statisticsBytes, sumsBytes, firstSample, count) => {
      for (let n = 0; n < count!; n++) {
        const group = Math.floor((firstSample! + n) / groupSize);
        const mean = (statisticsBytes! >>> 2) + group * PLANES * channels;
        const sums = (sumsBytes! >>> 3) + 2 * n * channels;
        f64.fill(0, sums, sums + 2 * channels);
        const images = [
          inputBytes! + 4 * n * input.imageStride,
          gradOutputBytes! + 4 * n * gradOutput.imageStride,
        ];
        forEachPixel([input, gradOutput], images, 1, ([x, g]) => {
          for (let c = 0; c < channels; c++) {
            const gradient = f32[g! + c]!;
            f64[sums + c]! += gradient;
            f64[sums + channels + c]! += gradient * (f32[x! + c]! - f32[mean + c]!);
          }
        });
      }
    };
  },
  flops: ({ input }, count) => 4 * count * elementsPerImage(input),
};
