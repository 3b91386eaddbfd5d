/**
 * The geometry of pooling: a window that slides over an image `[H, W, C]`, each channel by itself.
 *
 *   output [Ho, Wo, C], Ho = floor((H + padTop + padBottom - height) / strideY) + 1, Wo alike
 *
 * Window (oy, ox) covers rows oy*strideY - padTop ... + height - 1 and columns alike. Its taps outside the
 * image are left out, not read as zeros; a window without any tap inside is refused.
 */
import { ShapeError } from '../errors.ts';
import {
  outputExtent,
  type Padding,
  type PaddingOption,
  type Pair,
  resolvePadding,
  toPair,
} from './convolution.ts';
import { checkShape, formatShape, type Shape } from './shape.ts';

/** A pooling window, in pixels. */
export interface PoolWindow {
  readonly height: number;
  readonly width: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padding: Padding;
}

/** What a user says of a pooling layer. */
export interface PoolOptions {
  /** Default 2. */
  readonly poolSize?: Pair;
  /** Default `poolSize`: windows side by side. */
  readonly strides?: Pair;
  /** Default `'valid'`. */
  readonly padding?: PaddingOption;
}

/**
 * The window of a pooling layer over images `[H, W, C]`.
 * Throws ConfigError for senseless options, ShapeError where the window does not fit or lies in padding alone.
 */
export function poolWindow(operation: string, inputShape: Shape, options: PoolOptions): PoolWindow {
  checkShape(operation, 'input shape', inputShape, 3);
  const [inHeight, inWidth] = inputShape as [number, number, number];
  const [height, width] = toPair(operation, 'poolSize', options.poolSize ?? 2);
  const [strideY, strideX] = toPair(operation, 'strides', options.strides ?? [height, width]);
  const padding = resolvePadding(
    operation,
    options.padding ?? 'valid',
    [inHeight, inWidth],
    [height, width],
    [strideY, strideX],
    [1, 1],
  );
  const window = { height, width, strideY, strideX, padding };
  checkPoolWindow(operation, window, inHeight, inWidth);
  return window;
}

/** Output pixels [Ho, Wo] over an image of `inHeight` x `inWidth`; below 1 where the window does not fit. */
export function poolOutputSize(
  window: PoolWindow,
  inHeight: number,
  inWidth: number,
): readonly [number, number] {
  const { height, width, strideY, strideX, padding } = window;
  return [
    outputExtent(inHeight, height, strideY, 1, padding.top, padding.bottom),
    outputExtent(inWidth, width, strideX, 1, padding.left, padding.right),
  ];
}

/** Throws ShapeError where the window does not fit the image, or some position of it has no tap inside. */
export function checkPoolWindow(
  operation: string,
  window: PoolWindow,
  inHeight: number,
  inWidth: number,
): void {
  const { height, width, strideY, strideX, padding } = window;
  const [outHeight, outWidth] = poolOutputSize(window, inHeight, inWidth);
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `an image of at least ${formatShape([height, width])} pixels with its padding`,
      received: formatShape([
        inHeight + padding.top + padding.bottom,
        inWidth + padding.left + padding.right,
      ]),
      hint: "use padding: 'same' or a smaller poolSize",
    });
  }
  const outside =
    padding.top >= height ||
    padding.left >= width ||
    (outHeight - 1) * strideY - padding.top >= inHeight ||
    (outWidth - 1) * strideX - padding.left >= inWidth;
  if (outside) {
    const { top, right, bottom, left } = padding;
    throw new ShapeError({
      operation,
      argument: 'padding',
      expected: `a window of ${formatShape([height, width])} that always covers part of the image`,
      received: `padding ${formatShape([top, right, bottom, left])} (top, right, bottom, left)`,
      hint: 'pad by less than the window on each side',
    });
  }
}

/** Rows (or columns) [from, to) of the image that the window at output position `at` covers. */
export function tapRange(
  at: number,
  size: number,
  stride: number,
  before: number,
  extent: number,
): readonly [from: number, to: number] {
  const start = at * stride - before;
  return [Math.max(0, start), Math.min(extent, start + size)];
}

/** Whether some pixel may lie in more than one window. */
export function windowsOverlap(window: PoolWindow): boolean {
  return window.strideY < window.height || window.strideX < window.width;
}

/** Whether every pixel of an image of `inHeight` x `inWidth` lies in some window. */
export function windowsCover(window: PoolWindow, inHeight: number, inWidth: number): boolean {
  const { height, width, strideY, strideX, padding } = window;
  const [outHeight, outWidth] = poolOutputSize(window, inHeight, inWidth);
  return (
    coversAxis(outHeight, height, strideY, padding.top, inHeight) &&
    coversAxis(outWidth, width, strideX, padding.left, inWidth)
  );
}

function coversAxis(outputs: number, size: number, stride: number, before: number, extent: number): boolean {
  const gapless = outputs === 1 || stride <= size;
  return gapless && (outputs - 1) * stride - before + size >= extent;
}
