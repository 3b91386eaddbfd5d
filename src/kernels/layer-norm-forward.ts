/**
 * Layer normalisation (Ba, Kiros, Hinton, "Layer Normalization", 2016).
 *
 *   input, output  [n, H, W, C]; the output may be the input, in the same layout
 *   gamma, beta    parameters of layer-norm.ts; arguments only where `scale`, `center`
 *   statistics     [n, sets, 2] (layer-norm.ts); the backward pass reads them
 *
 * Over a set of L elements, in f64 with the sums of layer-norm.ts:
 *
 *   mean = (sum of input) / L;  variance = (sum of (input - mean)^2) / L;  inverse = 1 / sqrt(variance + epsilon)
 *
 * mean and inverse are rounded to f32, and then, every operation rounded to f32,
 *
 *   output = (((input - mean) * inverse) * gamma) + beta
 */
import type { View } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import {
  foldPartials,
  type NormalizedOver,
  PARTIALS,
  pixelAt,
  setSizes,
  setStatistics,
} from './layer-norm.ts';
import { checkSameImages, elementsPerImage, viewBuffer } from './pixels.ts';

export interface LayerNormForwardSpec {
  readonly kind: 'layerNormForward';
  readonly input: View;
  readonly output: View;
  readonly over: NormalizedOver;
  readonly epsilon: number;
  /** Whether there is a gamma. */
  readonly scale: boolean;
  /** Whether there is a beta. */
  readonly center: boolean;
}

const f = Math.fround;

export const layerNormForwardFamily: KernelFamily<LayerNormForwardSpec> = {
  kind: 'layerNormForward',
  args({ input, output, over, scale, center }) {
    const { parameters } = setSizes(input, over);
    return [
      viewBuffer('input', 'in', input),
      ...(scale ? [f32Buffer('gamma', 'in', () => parameters)] : []),
      ...(center ? [f32Buffer('beta', 'in', () => parameters)] : []),
      setStatistics('out', input, over),
      viewBuffer('output', 'out', output),
      { name: 'count', access: 'count' },
    ];
  },
  bind({ input, output, over, epsilon, scale, center }, { f32 }) {
    checkSameImages('layerNormForward', { input, output });
    const { channels } = input;
    const { sets, setPixels } = setSizes(input, over);
    const length = setPixels * channels;
    const partials = new Float64Array(PARTIALS);
    return (inputBytes, ...rest) => {
      const gamma = scale ? rest.shift()! >>> 2 : 0;
      const beta = center ? rest.shift()! >>> 2 : 0;
      const [statisticsBytes, outputBytes, count] = rest as [number, number, number];
      for (let n = 0; n < count; n++) {
        for (let set = 0; set < sets; set++) {
          const sum = (of: (x: number) => number) => {
            partials.fill(0);
            for (let p = 0; p < setPixels; p++) {
              const from = (inputBytes! >>> 2) + pixelAt(input, n, set * setPixels + p);
              for (let c = 0; c < channels; c++) partials[c % PARTIALS]! += of(f32[from + c]!);
            }
            return foldPartials(partials);
          };
          const mean = sum((x) => x) / length;
          const variance = sum((x) => (x - mean) * (x - mean)) / length;
          const at = (statisticsBytes >>> 2) + 2 * (n * sets + set);
          f32[at] = mean;
          f32[at + 1] = 1 / Math.sqrt(variance + epsilon);
          const [center32, inverse] = [f32[at]!, f32[at + 1]!];
          for (let p = 0; p < setPixels; p++) {
            const from = (inputBytes! >>> 2) + pixelAt(input, n, set * setPixels + p);
            const to = (outputBytes >>> 2) + pixelAt(output, n, set * setPixels + p);
            for (let c = 0; c < channels; c++) {
              let value = f(f(f32[from + c]! - center32) * inverse);
              if (scale) value = f(value * f32[gamma + p * channels + c]!);
              f32[to + c] = center ? f(value + f32[beta + p * channels + c]!) : value;
            }
          }
        }
      }
    };
  },
  flops: ({ input }, count) => 8 * count * elementsPerImage(input),
};
