/** Views as arguments, and several of them walked together: what the scalar elementwise kernels share. */
import { ShapeError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { type BufferArg, f32Buffer } from './kernel.ts';

/** A batch of images as an argument; its halo may be touched, whatever the kernel does with it. */
export function viewBuffer(name: string, access: BufferArg['access'], view: View): BufferArg {
  return f32Buffer(name, access, (count) => viewSpan(view, count), viewLead(view));
}

/** Elements from a view's origin to channel 0 of pixel (n, y, x). */
export function pixelOffset(view: View, n: number, y: number, x: number): number {
  return n * view.imageStride + y * view.rowStride + x * view.pixelStride;
}

/**
 * Calls `body` with channel 0 of each pixel in the order n, y, x, as element offsets: one a view, in the
 * order of `views`, in an array that the next call reuses. The views hold images of one size; origins are
 * byte offsets.
 */
export function forEachPixel(
  views: readonly View[],
  originBytes: readonly number[],
  count: number,
  body: (at: readonly number[]) => void,
): void {
  const { height, width } = views[0]!;
  const at = views.map(() => 0);
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let i = 0; i < at.length; i++) {
          at[i] = (originBytes[i]! >>> 2) + pixelOffset(views[i]!, n, y, x);
        }
        body(at);
      }
    }
  }
}

/** Throws ShapeError unless all views hold images of the size of the first. */
export function checkSameImages(operation: string, views: Readonly<Record<string, View>>): void {
  const [first, ...others] = Object.entries(views) as [string, View][];
  const shape = imageShape(first![1]);
  for (const [argument, view] of others) {
    const received = imageShape(view);
    if (received === shape) continue;
    throw new ShapeError({
      operation,
      argument,
      expected: `images of ${shape}, as in ${first![0]}`,
      received,
    });
  }
}

function imageShape({ height, width, channels }: View): string {
  return formatShape([height, width, channels]);
}

/** Elements of one image, its halo not counted. */
export function elementsPerImage({ height, width, channels }: View): number {
  return height * width * channels;
}
