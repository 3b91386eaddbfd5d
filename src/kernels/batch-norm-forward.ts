/**
 * Normalises each channel by its statistics.
 *
 *   input, output  [n, H, W, C]; the output may be the input, in the same layout
 *   statistics     [groups, 3, C] (batch-norm.ts)
 *   beta           [C]; an argument only where `center`
 *   firstSample    the first sample's index in the batch, which decides its group
 *
 *   output = ((input - mean) * scale) + beta, every operation rounded to f32; without beta no addition
 */
import type { View } from '../tensor/view.ts';
import { PLANES, type SampleGroups, statisticsBuffer } from './batch-norm.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface BatchNormForwardSpec extends SampleGroups {
  readonly kind: 'batchNormForward';
  readonly input: View;
  readonly output: View;
  /** Whether there is a beta. */
  readonly center: boolean;
}

const f = Math.fround;

export const batchNormForwardFamily: KernelFamily<BatchNormForwardSpec> = {
  kind: 'batchNormForward',
  args: (spec) => [
    viewBuffer('input', 'in', spec.input),
    statisticsBuffer('in', spec, spec.input.channels),
    ...(spec.center ? [f32Buffer('beta', 'in', () => spec.input.channels)] : []),
    viewBuffer('output', 'out', spec.output),
    { name: 'firstSample', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    const { input, output, center, groupSize } = spec;
    checkSameImages('batchNormForward', { input, output });
    const { channels } = input;
    return (inputBytes, statisticsBytes, ...rest) => {
      const [betaBytes, outputBytes, firstSample, count] = (center ? rest : [0, ...rest]) as [
        number,
        number,
        number,
        number,
      ];
      const beta = betaBytes >>> 2;
      for (let n = 0; n < count; n++) {
        const group = Math.floor((firstSample + n) / groupSize);
        const mean = (statisticsBytes! >>> 2) + group * PLANES * channels;
        const scale = mean + 2 * channels;
        const images = [inputBytes! + 4 * n * input.imageStride, outputBytes + 4 * n * output.imageStride];
        forEachPixel([input, output], images, 1, ([from, to]) => {
          for (let c = 0; c < channels; c++) {
            const value = f(f(f32[from! + c]! - f32[mean + c]!) * f32[scale + c]!);
            f32[to! + c] = center ? f(value + f32[beta + c]!) : value;
          }
        });
      }
    };
  },
  flops: ({ input, center }, count) => (center ? 3 : 2) * count * elementsPerImage(input),
};
