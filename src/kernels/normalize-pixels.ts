/**
 * Turns pixels into a network's input.
 *
 *   pixels  [n, H, W, C] without gaps: bytes, or f32
 *   output  [n, H, W, C], the view's halo stays as it is
 *
 *   'none'         output = p
 *   'scale'        output = p / 255, rounded once
 *   'standardize'  output = p * a[c] + b[c], product and sum each rounded to f32, where for bytes
 *                  a = 1 / (255 * std), b = -mean / std (f64, rounded once): mean and std are those of bytes / 255.
 *                  f32 pixels are in the units of mean and std themselves: a = 1 / std
 *   'l2Rows'       output = p / r[n, x, c], r = sqrt(sum over y of p[n, y, x, c]^2), the sum in f64 for y ascending,
 *                  its root rounded to f32, the quotient rounded to f32; 1 in the place of r = 0. This is
 *                  Keras' normalize(x, axis=1), which the seed's notebook uses.
 */
import { ConfigError } from '../errors.ts';
import type { View } from '../tensor/view.ts';
import type { BufferArg, KernelFamily } from './kernel.ts';
import { elementsPerImage, viewBuffer } from './pixels.ts';

export interface NormalizePixelsSpec {
  readonly kind: 'normalizePixels';
  readonly inputType: 'uint8' | 'float32';
  readonly mode: 'none' | 'standardize' | 'l2Rows' | 'scale';
  /** Mean of each channel; for 'standardize' only. */
  readonly mean?: readonly number[];
  /** Standard deviation of each channel, above 0; for 'standardize' only. */
  readonly std?: readonly number[];
  readonly output: View;
}

const f = Math.fround;

export const normalizePixelsFamily: KernelFamily<NormalizePixelsSpec> = {
  kind: 'normalizePixels',
  args: (spec) => [
    pixelsArg(spec),
    viewBuffer('output', 'out', spec.output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32, u8 }) {
    const { height, width, channels, imageStride, rowStride, pixelStride } = spec.output;
    const bytes = spec.inputType === 'uint8';
    const source = bytes ? u8 : f32;
    const image = spec.mode === 'l2Rows' ? bindL2Rows(spec, f32) : bindPixelwise(spec, f32);
    return (pixelsBytes, outputBytes, count) => {
      const pixels = bytes ? pixelsBytes! >>> 0 : pixelsBytes! >>> 2;
      for (let n = 0; n < count!; n++) {
        const from = pixels + n * height * width * channels;
        image(source, from, (outputBytes! >>> 2) + n * imageStride, rowStride, pixelStride);
      }
    };
  },
};

type ImageFunction = (
  source: Uint8Array | Float32Array,
  from: number,
  to: number,
  rowStride: number,
  pixelStride: number,
) => void;

/** The modes in which a pixel depends on nothing else. */
function bindPixelwise(spec: NormalizePixelsSpec, f32: Float32Array): ImageFunction {
  const { height, width, channels } = spec.output;
  const { mode } = spec;
  const { factor, shift } = channelConstants(spec);
  return (source, from, to, rowStride, pixelStride) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const pixel = from + (y * width + x) * channels;
        const target = to + y * rowStride + x * pixelStride;
        for (let c = 0; c < channels; c++) {
          const p = source[pixel + c]!;
          if (mode === 'standardize') f32[target + c] = f(f(p * factor[c]!) + shift[c]!);
          else f32[target + c] = mode === 'scale' ? f(p / 255) : p;
        }
      }
    }
  };
}

function bindL2Rows({ output }: NormalizePixelsSpec, f32: Float32Array): ImageFunction {
  const { height, width, channels } = output;
  const row = width * channels;
  return (source, from, to, rowStride, pixelStride) => {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const column = from + x * channels + c;
        let sum = 0;
        for (let y = 0; y < height; y++) {
          const p = source[column + y * row]!;
          sum += p * p;
        }
        const root = sum === 0 ? 1 : f(Math.sqrt(sum));
        const target = to + x * pixelStride + c;
        for (let y = 0; y < height; y++) f32[target + y * rowStride] = f(source[column + y * row]! / root);
      }
    }
  };
}

/** a[c] and b[c] of 'standardize'; empty in the other modes. Throws ConfigError where they make no sense. */
export function channelConstants({
  inputType,
  mode,
  mean = [],
  std = [],
  output: { channels },
}: NormalizePixelsSpec): { factor: readonly number[]; shift: readonly number[] } {
  if (mode !== 'standardize') return { factor: [], shift: [] };
  checkPerChannel('mean', mean, channels, Number.isFinite);
  checkPerChannel('std', std, channels, (value) => value > 0 && value < Infinity);
  const range = inputType === 'uint8' ? 255 : 1;
  return {
    factor: std.map((deviation) => f(1 / (range * deviation))),
    shift: std.map((deviation, c) => f(-mean[c]! / deviation)),
  };
}

function checkPerChannel(
  argument: string,
  values: readonly number[],
  channels: number,
  fits: (value: number) => boolean,
): void {
  if (values.length === channels && values.every(fits)) return;
  const what = argument === 'std' ? 'positive numbers' : 'numbers';
  throw new ConfigError({
    operation: 'normalizePixels',
    argument,
    expected: `${channels} finite ${what}, one a channel`,
    received: `[${values.join(', ')}]`,
  });
}

function pixelsArg({ inputType, output }: NormalizePixelsSpec): BufferArg {
  return {
    name: 'pixels',
    access: 'in',
    type: inputType === 'uint8' ? 'u8' : 'f32',
    length: (count) => count * elementsPerImage(output),
  };
}
