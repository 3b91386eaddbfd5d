/**
 * Loops over the windows of a pooling, in row-major order of outputs: what the SIMD pooling kernels share.
 * Code is emitted for each of the two kinds of windows (pool-taps.ts) that occur.
 */
import { type PoolWindow, poolOutputSize } from '../../tensor/pooling.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { type Corner, clippedSite, unrolledSite, type WindowSite } from './pool-taps.ts';
import { forEachImage, nest, startPointers, type Walked } from './rows.ts';

/** Windows with more taps than this are not unrolled. */
const MOST_UNROLLED_TAPS = 16;

/** Emits `body` for the windows of `count` images. All inputs are of one size, and all outputs. */
export function forEachWindow(
  b: FunctionBuilder,
  window: PoolWindow,
  inputs: readonly Walked[],
  outputs: readonly Walked[],
  count: Local,
  body: (site: WindowSite) => void,
): void {
  const { height, width } = inputs[0]!.view;
  const [outHeight, outWidth] = poolOutputSize(window, height, width);
  const { strideY, strideX } = window;
  const buffers = [...inputs, ...outputs];
  const pointers = startPointers(b, buffers);
  const corner = startCorner(b, window, inputs, pointers);
  const rows = buffers.map(({ view }, i) => (i < inputs.length ? strideY : 1) * view.rowStride * 4);
  const columns = buffers.map(({ view }, i) => (i < inputs.length ? strideX : 1) * view.pixelStride * 4);
  const dimensions = [
    { extent: outHeight, stepBytes: [...rows, strideY, 0] },
    { extent: outWidth, stepBytes: [...columns, 0, strideX] },
  ];
  const emitWindow = windowEmitter(b, window, inputs, corner, body);
  forEachImage(b, buffers, pointers, count, () => {
    nest(b, dimensions, [...pointers, corner.y, corner.x], emitWindow);
  });
}

/** Moves the inputs' pointers to the first window's corner, which padding puts outside the image. */
function startCorner(
  b: FunctionBuilder,
  { padding }: PoolWindow,
  inputs: readonly Walked[],
  pointers: readonly Local[],
): Corner {
  const y = b.local('i32', 'y');
  const x = b.local('i32', 'x');
  b.i32(-padding.top).set(y).i32(-padding.left).set(x);
  inputs.forEach(({ view: { rowStride, pixelStride } }, i) => {
    b.advance(pointers[i]!, -(padding.top * rowStride + padding.left * pixelStride) * 4);
  });
  return { y, x, inputs: pointers.slice(0, inputs.length), outputs: pointers.slice(inputs.length) };
}

/** Declares locals and returns what emits one window's code. */
function windowEmitter(
  b: FunctionBuilder,
  window: PoolWindow,
  inputs: readonly Walked[],
  corner: Corner,
  body: (site: WindowSite) => void,
): () => void {
  const views = inputs.map(({ view }) => view);
  const { height, width } = views[0]!;
  const unrolled = unrolledSite(b, window, views, corner);
  const emitUnrolled = () => body(unrolled);
  if (window.height * window.width <= MOST_UNROLLED_TAPS && allInside(window, height, width)) {
    return emitUnrolled;
  }
  const clipped = clippedSite(b, window, views, corner);
  const emitClipped = () => {
    clipped.emitClip();
    body(clipped);
  };
  const neverInside = window.height > height || window.width > width;
  if (window.height * window.width > MOST_UNROLLED_TAPS || neverInside) return emitClipped;
  return () => {
    // Unsigned, so that a corner above or left of the image is beyond the limit as well.
    b.get(corner.y)
      .i32(height - window.height)
      .op('i32.le_u');
    b.get(corner.x)
      .i32(width - window.width)
      .op('i32.le_u')
      .op('i32.and');
    b.if(emitUnrolled, emitClipped);
  };
}

/** Whether no window reaches over the border. */
function allInside(window: PoolWindow, inHeight: number, inWidth: number): boolean {
  const { height, width, strideY, strideX, padding } = window;
  const [outHeight, outWidth] = poolOutputSize(window, inHeight, inWidth);
  return (
    padding.top === 0 &&
    padding.left === 0 &&
    (outHeight - 1) * strideY + height <= inHeight &&
    (outWidth - 1) * strideX + width <= inWidth
  );
}
