/**
 * Broadcasting: layers that merge inputs element by element take inputs of several sizes, as in numpy and Keras. Shapes
 * without the batch are aligned at their last axis; along an axis where an input has extent 1 or none, its one element
 * stands for all ([1, 1, C] or [C] times [H, W, C]: squeeze and excitation; [H, W, 1] times [H, W, C]: spatial attention).
 *
 * Nothing is copied: a row, column or channel that stands for many is a view with stride 0. The gradient of such an input
 * is a sum over the elements it stood for, pixels in the order y, x, channels innermost: it begins at +0 or what is there,
 * each sum rounded to f32.
 */
import { ShapeError } from '../errors.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { View } from '../tensor/view.ts';
import type { ForwardContext, GradientRef, LayerExample, TensorRef } from './layer.ts';
import { clearTensor } from './sub-image.ts';

/** The shape that all inputs are broadcast to. Throws ShapeError where two extents differ and neither is 1. */
export function broadcastShape(operation: string, inputs: readonly Shape[]): Shape {
  const rank = Math.max(...inputs.map((shape) => shape.length));
  const result: number[] = Array(rank).fill(1);
  inputs.forEach((shape, i) => {
    const before = formatShape(result.slice(rank - (i === 0 ? shape.length : rank)));
    shape.forEach((extent, axis) => {
      const at = rank - shape.length + axis;
      if (result[at] !== extent && result[at] !== 1 && extent !== 1) {
        throw new ShapeError({
          operation,
          argument: `input ${i}`,
          expected: `extents as in ${before}, or 1`,
          received: formatShape(shape),
        });
      }
      if (extent !== 1) result[at] = extent;
    });
  });
  return result;
}

/**
 * Calls `body` with the tensors as images of one size, in their order; where channels of one stand for many, which views
 * of pixels cannot say, once a row of images whose pixels are the channels.
 */
export function forEachBroadcast(
  tensors: readonly TensorRef[],
  body: (alike: readonly TensorRef[]) => void,
): void {
  const largest = (of: 'height' | 'width' | 'channels') => Math.max(...tensors.map(({ view }) => view[of]));
  const [height, width, channels] = [largest('height'), largest('width'), largest('channels')];
  const isWhole = ({ view }: TensorRef) =>
    view.height === height && view.width === width && view.channels === channels;
  if (tensors.every(isWhole)) {
    body(tensors);
    return;
  }
  const spread = tensors.map((tensor) => {
    const { view } = tensor;
    const rowStride = view.height < height ? 0 : view.rowStride;
    const pixelStride = view.width < width ? 0 : view.pixelStride;
    return {
      ...tensor,
      view: { ...imageOf(view), height, width, rowStride, pixelStride },
    };
  });
  if (tensors.every(({ view }) => view.channels === channels)) {
    body(spread);
    return;
  }
  const rowsFollow = spread.every(({ view }) => view.rowStride === width * view.pixelStride);
  const rows = rowsFollow ? 1 : height;
  for (let y = 0; y < rows; y++) {
    body(
      spread.map((tensor) => {
        const { channels: own, pixelStride, rowStride, imageStride } = tensor.view;
        const strides = { rowStride: pixelStride, pixelStride: own < channels ? 0 : 1, imageStride };
        const { buffer, offsetBytes } = tensor.origin;
        return {
          ...tensor,
          view: { height: (height * width) / rows, width: channels, channels: 1, ...strides, halo: 0 },
          origin: { buffer, offsetBytes: offsetBytes + 4 * y * rowStride },
        };
      }),
    );
  }
}

/** The view without its halo. */
function imageOf({ height, width, channels, pixelStride, rowStride, imageStride }: View): View {
  return { height, width, channels, pixelStride, rowStride, imageStride, halo: 0 };
}

/**
 * The gradient of an input of a layer that broadcasts, ready to be added to where it is a sum: what is written to it is
 * one of the summands then.
 */
export function beginGradient(
  context: Pick<ForwardContext<unknown>, 'call'>,
  gradInput: GradientRef,
  { view: whole }: TensorRef,
): GradientRef {
  const { view } = gradInput;
  const isSum = view.height < whole.height || view.width < whole.width || view.channels < whole.channels;
  if (!isSum || gradInput.accumulate) return gradInput;
  clearTensor(context, gradInput);
  return { ...gradInput, accumulate: true };
}

/** Examples of the layers that merge inputs: equal shapes, several vectors, broadcast channels and pixels. */
export const mergingExamples: readonly LayerExample<Record<string, never>>[] = [
  { options: {}, inputShape: [3, 5, 3], otherInputShapes: [[3, 5, 3]] },
  { options: {}, inputShape: [7], otherInputShapes: [[7], [7]] },
  { options: {}, inputShape: [3, 5, 9], otherInputShapes: [[1, 1, 9]] },
  {
    options: {},
    inputShape: [4],
    otherInputShapes: [
      [2, 3, 1],
      [3, 1],
    ],
  },
];
