/**
 * Resamples images through one affine map a sample: bilinear interpolation, the nearest pixel beyond the border.
 *
 *   input     [n, H, W, C]
 *   matrices  [n, 6]: m0 m1 m2 for the source's x, m3 m4 m5 for its y
 *   output    [n, Ho, Wo, C]
 *
 * Output pixel (x, y), counted from 0 at the top left, reads the input at, every operation rounded to f32,
 *
 *   sx = (m0 * x + m1 * y) + m2        clamped to [0, W-1]
 *   sy = (m3 * x + m4 * y) + m5        clamped to [0, H-1]
 *
 * NaN counts as 0. With x0 = floor(sx), x1 = min(x0 + 1, W-1), fx = sx - x0, likewise y0, y1, fy, per channel:
 *
 *   top    = in[y0, x0] + (in[y0, x1] - in[y0, x0]) * fx
 *   bottom = in[y1, x0] + (in[y1, x1] - in[y1, x0]) * fx
 *   output = top + (bottom - top) * fy
 *
 * All four taps are read and multiplied, also those of weight 0. The halos are neither read nor written.
 */
import { ShapeError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import type { View } from '../tensor/view.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { viewBuffer } from './pixels.ts';

export interface AffineWarpSpec {
  readonly kind: 'affineWarp';
  readonly input: View;
  /** Its height and width may differ from the input's. */
  readonly output: View;
}

/** Largest height or width: beyond it f32 holds no fractions of a pixel. */
const MAX_SIDE = 2 ** 23;

const f = Math.fround;

export const affineWarpFamily: KernelFamily<AffineWarpSpec> = {
  kind: 'affineWarp',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    f32Buffer('matrices', 'in', (count) => 6 * count),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkAffineWarp(spec);
    const { input, output } = spec;
    const sample = bindSample(spec, f32);
    return (inputBytes, matricesBytes, outputBytes, count) => {
      for (let n = 0; n < count!; n++) {
        const source = (inputBytes! >>> 2) + n * input.imageStride;
        const target = (outputBytes! >>> 2) + n * output.imageStride;
        const m = (matricesBytes! >>> 2) + 6 * n;
        for (let y = 0; y < output.height; y++) {
          for (let x = 0; x < output.width; x++) {
            const sx = f(f(f(f32[m]! * x) + f(f32[m + 1]! * y)) + f32[m + 2]!);
            const sy = f(f(f(f32[m + 3]! * x) + f(f32[m + 4]! * y)) + f32[m + 5]!);
            sample(source, sx, sy, target + y * output.rowStride + x * output.pixelStride);
          }
        }
      }
    };
  },
  flops: ({ output }, count) => count * output.height * output.width * (10 + 9 * output.channels),
};

/** Writes the pixel that lies at (sx, sy) of the image at `source` to `target`. */
function bindSample(
  { input: { width, height, channels, pixelStride, rowStride } }: AffineWarpSpec,
  f32: Float32Array,
) {
  return (source: number, sx: number, sy: number, target: number): void => {
    const cx = clampTo(sx, width - 1);
    const cy = clampTo(sy, height - 1);
    const x0 = Math.floor(cx);
    const y0 = Math.floor(cy);
    const fx = f(cx - x0);
    const fy = f(cy - y0);
    const right = x0 < width - 1 ? pixelStride : 0;
    const below = y0 < height - 1 ? rowStride : 0;
    const corner = source + y0 * rowStride + x0 * pixelStride;
    for (let c = 0; c < channels; c++) {
      const tap = corner + c;
      const top = lerp(f32[tap]!, f32[tap + right]!, fx);
      const bottom = lerp(f32[tap + below]!, f32[tap + below + right]!, fx);
      f32[target + c] = lerp(top, bottom, fy);
    }
  };
}

/** `value` held between 0 and `most`; NaN gives 0. */
function clampTo(value: number, most: number): number {
  return value > 0 ? Math.min(value, most) : 0;
}

function lerp(a: number, b: number, weight: number): number {
  return f(a + f(f(b - a) * weight));
}

/** Throws ShapeError where the views do not fit each other. */
export function checkAffineWarp({ input, output }: AffineWarpSpec): void {
  if (output.channels !== input.channels) {
    throw new ShapeError({
      operation: 'affineWarp',
      argument: 'output',
      expected: `${input.channels} channels`,
      received: String(output.channels),
    });
  }
  for (const { height, width } of [input, output]) {
    if (height >= 1 && width >= 1 && height <= MAX_SIDE && width <= MAX_SIDE) continue;
    throw new ShapeError({
      operation: 'affineWarp',
      expected: `images of 1 to ${MAX_SIDE} pixels a side`,
      received: formatShape([height, width]),
    });
  }
}
