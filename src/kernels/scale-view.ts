/**
 * Writes a batch of activations times a constant into another layout, or adds it to what is there.
 *
 *   input, output  [n, H, W, C], the same H, W, C; they do not overlap
 *
 *   output = factor * input               or  output + factor * input  where `accumulate`
 *
 * Product and sum are each rounded to f32. Neither halo is read or written.
 */
import { ConfigError } from '../errors.ts';
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface ScaleViewSpec {
  readonly kind: 'scaleView';
  readonly input: View;
  readonly output: View;
  /** A number that f32 holds. */
  readonly factor: number;
  /** Whether the product is added to what the output holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const scaleViewFamily: KernelFamily<ScaleViewSpec> = {
  kind: 'scaleView',
  args: ({ input, output, accumulate }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', accumulate ? 'inout' : 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkScaleView(spec);
    const { input, output, factor, accumulate } = spec;
    const { channels } = input;
    return (inputBytes, outputBytes, count) => {
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, (at) => {
        const [from, to] = at as [number, number];
        for (let c = 0; c < channels; c++) {
          const value = f(factor * f32[from + c]!);
          f32[to + c] = accumulate ? f(f32[to + c]! + value) : value;
        }
      });
    };
  },
  flops: ({ input, accumulate }, count) => count * elementsPerImage(input) * (accumulate ? 2 : 1),
};

/** Throws ShapeError where the views differ in size, ConfigError for a factor that f32 does not hold. */
export function checkScaleView({ input, output, factor }: ScaleViewSpec): void {
  checkSameImages('scaleView', { input, output });
  if (Number.isFinite(factor) && f(factor) === factor) return;
  throw new ConfigError({
    operation: 'scaleView',
    argument: 'factor',
    expected: 'a number that f32 holds',
    received: String(factor),
  });
}
