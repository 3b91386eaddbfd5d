/** The windows of a pooling over two views: what the scalar pooling kernels share. */
import { ShapeError } from '../errors.ts';
import { checkPoolWindow, type PoolWindow, poolOutputSize, tapRange } from '../tensor/pooling.ts';
import { formatShape } from '../tensor/shape.ts';
import type { View } from '../tensor/view.ts';

/** One window: the output pixel (oy, ox), and the rows [top, bottom) and columns [left, right) it covers. */
export interface WindowTaps {
  readonly oy: number;
  readonly ox: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** All windows over images of `view`, in row-major order of outputs. */
export function windowsOver(view: View, window: PoolWindow): readonly WindowTaps[] {
  const [outHeight, outWidth] = poolOutputSize(window, view.height, view.width);
  const windows: WindowTaps[] = [];
  for (let oy = 0; oy < outHeight; oy++) {
    const [top, bottom] = tapRange(oy, window.height, window.strideY, window.padding.top, view.height);
    for (let ox = 0; ox < outWidth; ox++) {
      const [left, right] = tapRange(ox, window.width, window.strideX, window.padding.left, view.width);
      windows.push({ oy, ox, top, bottom, left, right });
    }
  }
  return windows;
}

/**
 * Throws ShapeError unless the window fits the input views, which hold images of one size, and the output
 * view holds what comes out.
 */
export function checkPoolViews(
  operation: string,
  window: PoolWindow,
  inputs: Readonly<Record<string, View>>,
  outputs: Readonly<Record<string, View>>,
): void {
  const [input] = Object.values(inputs) as [View];
  checkPoolWindow(operation, window, input.height, input.width);
  const inputShape = [input.height, input.width, input.channels];
  const outputShape = [...poolOutputSize(window, input.height, input.width), input.channels];
  const expected = [
    ...Object.entries(inputs).map(([argument, view]) => ({ argument, view, shape: inputShape })),
    ...Object.entries(outputs).map(([argument, view]) => ({ argument, view, shape: outputShape })),
  ];
  for (const { argument, view, shape } of expected) {
    const received = [view.height, view.width, view.channels];
    if (shape.every((extent, i) => extent === received[i])) continue;
    throw new ShapeError({
      operation,
      argument,
      expected: `images of ${formatShape(shape)}`,
      received: formatShape(received),
    });
  }
}
