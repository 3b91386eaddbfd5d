/**
 * Average pooling to a given size, whatever the image's (PyTorch's AdaptiveAvgPool2d).
 *   input [H, W, C], output [Ho, Wo, C]
 *   forward:  y_{i,j} = mean of rows floor(i H/Ho) to ceil((i+1) H/Ho), columns alike
 *   backward: each pixel of a window gets its share of the gradient
 * Where sizes divide, it is one average pooling; else each window is one of its own. Orders of sums: its kernels; over
 * windows that overlap, in row-major order.
 */
import type { AveragePoolBackwardSpec } from '../kernels/average-pool-backward.ts';
import type { AveragePoolForwardSpec } from '../kernels/average-pool-forward.ts';
import { type Pair, toPair } from '../tensor/convolution.ts';
import type { PoolWindow } from '../tensor/pooling.ts';
import { checkShape, type Shape } from '../tensor/shape.ts';
import { defineLayer, type TensorRef } from './layer.ts';
import { clearTensor, subImage } from './sub-image.ts';

export interface AdaptivePoolOptions {
  /** Pixels of the output. */
  readonly outputSize: Pair;
}

export interface AdaptivePoolConfig {
  readonly outputSize: readonly [number, number];
}

/** Outputs side by side whose windows have one size and one stride, the size. */
interface Segment {
  readonly output: number;
  readonly outputs: number;
  readonly input: number;
  readonly size: number;
}

/** One segment where the sizes divide, else one an output. */
function segments(extent: number, outputs: number): Segment[] {
  if (extent % outputs === 0) return [{ output: 0, outputs, input: 0, size: extent / outputs }];
  return Array.from({ length: outputs }, (_, output) => {
    const input = Math.floor((output * extent) / outputs);
    return { output, outputs: 1, input, size: Math.ceil(((output + 1) * extent) / outputs) - input };
  });
}

/** Poolings that make up the layer: their window and the pixels of large and small image, in row-major order. */
function poolings(large: TensorRef, small: TensorRef) {
  const rows = segments(large.view.height, small.view.height);
  const columns = segments(large.view.width, small.view.width);
  return rows.flatMap((row) =>
    columns.map((column) => {
      const window: PoolWindow = {
        height: row.size,
        width: column.size,
        strideY: row.size,
        strideX: column.size,
        padding: { top: 0, right: 0, bottom: 0, left: 0 },
      };
      return {
        window,
        large: subImage(large, {
          top: row.input,
          left: column.input,
          height: row.outputs * row.size,
          width: column.outputs * column.size,
        }),
        small: subImage(small, {
          top: row.output,
          left: column.output,
          height: row.outputs,
          width: column.outputs,
        }),
      };
    }),
  );
}

/**
 * Mean of windows that cover the image, as many as the output has pixels. Option as in Keras and PyTorch: outputSize.
 * Throws ConfigError for anything but positive integers, ShapeError for inputs that are not images.
 */
export const adaptiveAveragePooling2d = defineLayer<AdaptivePoolOptions, AdaptivePoolConfig>({
  type: 'adaptiveAveragePooling2d',
  resolve: ({ outputSize }, operation) => ({ outputSize: toPair(operation, 'outputSize', outputSize) }),
  outputShape({ outputSize }, [input], operation): Shape {
    checkShape(operation, 'input shape', input!, 3);
    return [...outputSize, input![2]!];
  },
  forward({ inputs, output, call }) {
    for (const { window, large, small } of poolings(inputs[0]!, output)) {
      const spec: AveragePoolForwardSpec = {
        kind: 'averagePoolForward',
        input: large.view,
        output: small.view,
        window,
        countPadding: false,
      };
      call(spec, [large.origin, small.origin, 'count']);
    }
  },
  backward(context) {
    const { gradOutput, call } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    const parts = poolings(gradInput, gradOutput);
    const accumulate = gradInput.accumulate || parts.length > 1;
    if (!gradInput.accumulate && parts.length > 1) clearTensor(context, gradInput);
    for (const { window, large, small } of parts) {
      const spec: AveragePoolBackwardSpec = {
        kind: 'averagePoolBackward',
        gradOutput: small.view,
        gradInput: large.view,
        window,
        countPadding: false,
        accumulate,
      };
      call(spec, [small.origin, large.origin, 'count']);
    }
  },
  examples: [
    { options: { outputSize: 2 }, inputShape: [4, 6, 3] },
    { options: { outputSize: [3, 2] }, inputShape: [5, 4, 8] },
    { options: { outputSize: [2, 5] }, inputShape: [3, 3, 5] },
  ],
});
