/**
 * Brings an image [height, width, channels] of bytes to another size: bilinear, antialiased. Along each axis an output
 * pixel is the mean of the source under a triangle around its centre, as wide as two source pixels, or, where the image
 * gets smaller, as two output pixels: what Pillow's `BILINEAR` and PyTorch's `antialias=True` compute. Sums are in f64,
 * in the order of the source, and rounded once at the end (half up): the same bytes on every machine.
 */
import type { Resize } from '../dataset.ts';

/** A picture of bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** [height, width, channels], row-major. */
  readonly data: Uint8Array;
}

/** A part of an axis: where it begins and how long it is, in pixels and parts of them. */
interface Span {
  readonly from: number;
  readonly length: number;
}

/** The image in another size [height, width], into `target` at `offset`. */
export function resizeInto(
  image: Pixels,
  height: number,
  width: number,
  mode: Resize,
  target: Uint8Array,
  offset = 0,
): void {
  const { channels } = image;
  if (image.width === width && image.height === height) {
    target.set(image.data, offset);
    return;
  }
  const whole = { x: { from: 0, length: image.width }, y: { from: 0, length: image.height } };
  if (mode === 'pad') {
    const scale = Math.min(width / image.width, height / image.height);
    const inner = (length: number, most: number) => Math.min(most, Math.max(1, Math.round(length * scale)));
    const [w, h] = [inner(image.width, width), inner(image.height, height)];
    const [left, top] = [Math.floor((width - w) / 2), Math.floor((height - h) / 2)];
    target.fill(0, offset, offset + height * width * channels);
    const start = offset + (top * width + left) * channels;
    resample(image, whole, h, w, target, start, width * channels);
    return;
  }
  const part = mode === 'crop' ? middle(image, width / height) : whole;
  resample(image, part, height, width, target, offset, width * channels);
}

/** The largest part of an image with these proportions (width over height), in its middle. */
function middle({ width, height }: Pixels, proportions: number): { readonly x: Span; readonly y: Span } {
  const w = Math.min(width, height * proportions);
  const h = Math.min(height, width / proportions);
  return { x: { from: (width - w) / 2, length: w }, y: { from: (height - h) / 2, length: h } };
}

/** Both axes, the horizontal one first. Rows of the target are `stride` bytes apart. */
function resample(
  { width, channels, data }: Pixels,
  { x, y }: { readonly x: Span; readonly y: Span },
  outHeight: number,
  outWidth: number,
  target: Uint8Array,
  offset: number,
  stride: number,
): void {
  const columns = axisWeights(x, width, outWidth);
  const rows = axisWeights(y, data.length / (width * channels), outHeight);
  const first = rows.starts[0]!;
  const last = rows.starts[outHeight - 1]! + rows.counts[outHeight - 1]!;
  const line = outWidth * channels;
  const narrowed = new Float64Array((last - first) * line);
  for (let row = first; row < last; row++) {
    narrowRow(data, row * width * channels, channels, columns, narrowed, (row - first) * line);
  }
  for (let row = 0; row < outHeight; row++) {
    const [start, count, at] = [rows.starts[row]! - first, rows.counts[row]!, row * rows.most];
    for (let i = 0; i < line; i++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += rows.weights[at + k]! * narrowed[(start + k) * line + i]!;
      target[offset + row * stride + i] = Math.floor(sum + 0.5);
    }
  }
}

/** What each output pixel of an axis is made of. */
interface AxisWeights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `most` weights an output, the first `counts` of them used; their sum is 1. */
  readonly weights: Float64Array;
  readonly most: number;
}

function axisWeights({ from, length }: Span, size: number, outputs: number): AxisWeights {
  const scale = length / outputs;
  const reach = Math.max(1, scale);
  const most = 2 * Math.ceil(reach) + 1;
  const starts = new Int32Array(outputs);
  const counts = new Int32Array(outputs);
  const weights = new Float64Array(outputs * most);
  for (let out = 0; out < outputs; out++) {
    const centre = from + (out + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - reach + 0.5));
    const end = Math.min(size, Math.floor(centre + reach + 0.5));
    let total = 0;
    for (let i = start; i < end; i++) {
      const weight = Math.max(0, 1 - Math.abs(i + 0.5 - centre) / reach);
      weights[out * most + i - start] = weight;
      total += weight;
    }
    for (let k = 0; k < end - start; k++) weights[out * most + k] = weights[out * most + k]! / total;
    starts[out] = start;
    counts[out] = end - start;
  }
  return { starts, counts, weights, most };
}

function narrowRow(
  data: Uint8Array,
  row: number,
  channels: number,
  { starts, counts, weights, most }: AxisWeights,
  into: Float64Array,
  offset: number,
): void {
  for (let out = 0; out < starts.length; out++) {
    const [start, count, at] = [row + starts[out]! * channels, counts[out]!, out * most];
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += weights[at + k]! * data[start + k * channels + c]!;
      into[offset + out * channels + c] = sum;
    }
  }
}
