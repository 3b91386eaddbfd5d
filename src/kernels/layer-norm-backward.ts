/**
 * The gradients of layer normalisation.
 *
 *   input, gradOutput    [n, H, W, C]
 *   gamma                parameters of layer-norm.ts; an argument only where `scale`
 *   statistics           [n, sets, 2], of layer-norm-forward.ts
 *   gradGamma, gradBeta  like gamma and beta; arguments only where `gradScale`, `gradCenter`
 *   sums                 scratch, f64 [2, parameters]
 *   gradInput            [n, H, W, C]; may be gradOutput, in the same layout
 *
 * With v = (input - mean) * inverse, each operation rounded to f32, and h = gamma * gradOutput, in f64:
 *
 *   m = (sum of h over the set) / L,  k = (sum of h * v over the set) / L      by the sums of layer-norm.ts
 *
 * m and k are rounded to f32, and then, every operation rounded to f32,
 *
 *   gradInput = inverse * ((gamma * gradOutput - m) - v * k)      (+ gradInput where `accumulate`)
 *
 * gradGamma = sum of gradOutput * v, gradBeta = sum of gradOutput, over sets and samples: in f64 from +0 in their order,
 * rounded to f32 (then + what they hold where `accumulateParameters`, rounded again).
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

export interface LayerNormBackwardSpec {
  readonly kind: 'layerNormBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  readonly over: NormalizedOver;
  /** Whether there is a gamma. */
  readonly scale: boolean;
  readonly gradScale: boolean;
  readonly gradCenter: boolean;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
  /** Whether the parameters' gradients are added to what they hold. */
  readonly accumulateParameters: boolean;
}

const f = Math.fround;

export const layerNormBackwardFamily: KernelFamily<LayerNormBackwardSpec> = {
  kind: 'layerNormBackward',
  args(spec) {
    const { input, gradOutput, gradInput, over } = spec;
    const { parameters } = setSizes(input, over);
    const access = spec.accumulateParameters ? 'inout' : 'out';
    return [
      viewBuffer('input', 'in', input),
      viewBuffer('gradOutput', 'in', gradOutput),
      ...(spec.scale ? [f32Buffer('gamma', 'in', () => parameters)] : []),
      setStatistics('in', input, over),
      ...(spec.gradScale ? [f32Buffer('gradGamma', access, () => parameters)] : []),
      ...(spec.gradCenter ? [f32Buffer('gradBeta', access, () => parameters)] : []),
      { name: 'sums', access: 'scratch', type: 'f64', length: () => 2 * parameters },
      viewBuffer('gradInput', spec.accumulate ? 'inout' : 'out', gradInput),
      { name: 'count', access: 'count' },
    ];
  },
  bind(spec, { f32, f64 }) {
    const { input, gradOutput, gradInput, over, scale, gradScale, gradCenter } = spec;
    checkSameImages('layerNormBackward', { input, gradOutput, gradInput });
    const { channels } = input;
    const { sets, setPixels, parameters } = setSizes(input, over);
    const length = setPixels * channels;
    const [gradients, products] = [new Float64Array(PARTIALS), new Float64Array(PARTIALS)];
    return (inputBytes, gradOutputBytes, ...rest) => {
      const gamma = scale ? rest.shift()! >>> 2 : 0;
      const statisticsBytes = rest.shift()!;
      const gradGamma = gradScale ? rest.shift()! >>> 2 : 0;
      const gradBeta = gradCenter ? rest.shift()! >>> 2 : 0;
      const [sumsBytes, gradInputBytes, count] = rest as [number, number, number];
      const sums = sumsBytes >>> 3;
      f64.fill(0, sums, sums + 2 * parameters);
      for (let n = 0; n < count; n++) {
        for (let set = 0; set < sets; set++) {
          const at = (statisticsBytes >>> 2) + 2 * (n * sets + set);
          const [mean, inverse] = [f32[at]!, f32[at + 1]!];
          gradients.fill(0);
          products.fill(0);
          for (let p = 0; p < setPixels; p++) {
            const x = (inputBytes! >>> 2) + pixelAt(input, n, set * setPixels + p);
            const g = (gradOutputBytes! >>> 2) + pixelAt(gradOutput, n, set * setPixels + p);
            for (let c = 0; c < channels; c++) {
              const place = p * channels + c;
              const normalised = f(f(f32[x + c]! - mean) * inverse);
              const gradient = f32[g + c]!;
              const scaled = scale ? f32[gamma + place]! * gradient : gradient;
              gradients[c % PARTIALS]! += scaled;
              products[c % PARTIALS]! += scaled * normalised;
              f64[sums + place]! += gradient * normalised;
              f64[sums + parameters + place]! += gradient;
            }
          }
          const m = f(foldPartials(gradients) / length);
          const k = f(foldPartials(products) / length);
          for (let p = 0; p < setPixels; p++) {
            const x = (inputBytes! >>> 2) + pixelAt(input, n, set * setPixels + p);
            const g = (gradOutputBytes! >>> 2) + pixelAt(gradOutput, n, set * setPixels + p);
            const to = (gradInputBytes >>> 2) + pixelAt(gradInput, n, set * setPixels + p);
            for (let c = 0; c < channels; c++) {
              const normalised = f(f(f32[x + c]! - mean) * inverse);
              const scaled = scale ? f(f32[gamma + p * channels + c]! * f32[g + c]!) : f32[g + c]!;
              const value = f(inverse * f(f(scaled - m) - f(normalised * k)));
              f32[to + c] = spec.accumulate ? f(f32[to + c]! + value) : value;
            }
          }
        }
      }
      const write = (to: number, value: number) => {
        f32[to] = spec.accumulateParameters ? f(f32[to]! + f(value)) : value;
      };
      for (let i = 0; i < parameters; i++) {
        if (gradScale) write(gradGamma + i, f64[sums + i]!);
        if (gradCenter) write(gradBeta + i, f64[sums + parameters + i]!);
      }
    };
  },
  flops: ({ input }, count) => 14 * count * elementsPerImage(input),
};
