/**
 * Inputs side by side along the channels (inception modules, DenseNet, U-Net), or along a vector.
 *   inputs [H, W, C0], [H, W, C1], ..., output [H, W, C0 + C1 + ...]; or [F0], [F1], ..., [F0 + F1 + ...]
 *   forward:  y's channels are those of x0, then those of x1, ...
 *   backward: dX0, dX1, ... are the channels of dY in that order
 * An input that the plan placed in its part of the output already is not moved, nor is its gradient.
 */
import { ConfigError, ShapeError } from '../errors.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { defineLayer, type TensorRef } from './layer.ts';

export interface ConcatenateOptions {
  /** The axis of channels, the last: -1 (default). */
  readonly axis?: -1;
}

/** Channels `from`, `from + 1`, ... of a tensor, as many as `shape` has. */
export function channelSlice(tensor: TensorRef, from: number, shape: Shape): TensorRef {
  const { buffer, offsetBytes } = tensor.origin;
  return {
    shape,
    view: { ...tensor.view, channels: shape.at(-1)! },
    origin: { buffer, offsetBytes: offsetBytes + 4 * from },
  };
}

/** Whether two tensors of one shape are the same memory. */
function isSamePlace(a: TensorRef, b: TensorRef): boolean {
  return (
    a.origin.buffer === b.origin.buffer &&
    a.origin.offsetBytes === b.origin.offsetBytes &&
    a.view.pixelStride === b.view.pixelStride
  );
}

/** Calls `body` with each index and the channel at which that input begins. */
function forEachPart(inputs: readonly TensorRef[], body: (index: number, from: number) => void): void {
  let from = 0;
  inputs.forEach(({ shape }, index) => {
    body(index, from);
    from += shape.at(-1)!;
  });
}

/**
 * The inputs' channels one after the other. Option as in Keras: axis (-1).
 * Throws ShapeError unless the inputs agree in all but the channels, ConfigError for another axis.
 */
export const concatenate = defineLayer<ConcatenateOptions, Required<ConcatenateOptions>>({
  type: 'concatenate',
  severalInputs: true,
  joinsChannels: true,
  resolve({ axis = -1 }, operation) {
    if (axis !== -1) {
      throw new ConfigError({
        operation,
        argument: 'axis',
        expected: '-1, the channels',
        received: String(axis),
      });
    }
    return { axis };
  },
  outputShape(_config, inputs, operation) {
    const [first] = inputs as [Shape];
    const extent = (shape: Shape) => formatShape(shape.slice(0, -1));
    inputs.forEach((shape, i) => {
      if (shape.length === first.length && extent(shape) === extent(first)) return;
      throw new ShapeError({
        operation,
        argument: `input ${i}`,
        expected: `the extent of input 0, ${formatShape(first)}, in all but the channels`,
        received: formatShape(shape),
      });
    });
    return [...first.slice(0, -1), inputs.reduce((sum, shape) => sum + shape.at(-1)!, 0)];
  },
  forward(context) {
    const { inputs, output } = context;
    forEachPart(inputs, (index, from) => {
      const part = channelSlice(output, from, inputs[index]!.shape);
      if (!isSamePlace(inputs[index]!, part)) copyTensor(context, inputs[index]!, part, false);
    });
  },
  backward(context) {
    const { inputs, gradOutput } = context;
    forEachPart(inputs, (index, from) => {
      const gradInput = context.gradInput(index);
      if (gradInput === undefined) return;
      const part = channelSlice(gradOutput, from, inputs[index]!.shape);
      if (!isSamePlace(part, gradInput)) copyTensor(context, part, gradInput, gradInput.accumulate);
    });
  },
  examples: [
    { options: {}, inputShape: [3, 4, 3], otherInputShapes: [[3, 4, 6]] },
    {
      options: {},
      inputShape: [2, 3, 1],
      otherInputShapes: [
        [2, 3, 4],
        [2, 3, 5],
      ],
    },
    { options: {}, inputShape: [5], otherInputShapes: [[3]] },
  ],
});
