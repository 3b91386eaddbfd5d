/**
 * Adds normal noise, for training.
 *
 *   input   [n, H, W, C]
 *   output  [n, H, W, C]; may be the input, in the same layout
 *   step    two u32 words, low and high, of the training step
 *
 *   output = input + stddev * z in f64, rounded once to f32
 *
 * z of element e = (y*W + x)*C + c of sample firstSample + n is the `normal` of math/random.ts at (e, sample, step) under
 * the key (key0, key1).
 */
import { ConfigError } from '../errors.ts';
import { normal } from '../math/random.ts';
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, forEachPixel, viewBuffer } from './pixels.ts';

export interface GaussianNoiseSpec {
  readonly kind: 'gaussianNoise';
  /** Standard deviation, from 0 on. */
  readonly stddev: number;
  readonly input: View;
  readonly output: View;
}

export const gaussianNoiseFamily: KernelFamily<GaussianNoiseSpec> = {
  kind: 'gaussianNoise',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    { name: 'key0', access: 'literal' },
    { name: 'key1', access: 'literal' },
    { name: 'step', access: 'in', type: 'i32', length: () => 2 },
    { name: 'firstSample', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32, i32 }) {
    checkGaussianNoise(spec);
    const { stddev, input, output } = spec;
    return (inputBytes, outputBytes, key0, key1, stepBytes, firstSample, count) => {
      const [low, high] = [i32[stepBytes! >>> 2]!, i32[(stepBytes! >>> 2) + 1]!];
      const key = [key0!, key1!] as const;
      for (let n = 0; n < count!; n++) {
        const images = [inputBytes! + 4 * n * input.imageStride, outputBytes! + 4 * n * output.imageStride];
        let element = 0;
        forEachPixel([input, output], images, 1, ([from, to]) => {
          for (let c = 0; c < input.channels; c++) {
            const z = normal(key, element, firstSample! + n, low, high);
            f32[to! + c] = f32[from! + c]! + stddev * z;
            element += 1;
          }
        });
      }
    };
  },
};

/** Throws ShapeError where the views differ in size, ConfigError for a deviation that is none. */
export function checkGaussianNoise({ stddev, input, output }: GaussianNoiseSpec): void {
  checkSameImages('gaussianNoise', { input, output });
  if (stddev >= 0 && stddev < Infinity) return;
  throw new ConfigError({
    operation: 'gaussianNoise',
    argument: 'stddev',
    expected: 'a finite number from 0 on',
    received: String(stddev),
  });
}
