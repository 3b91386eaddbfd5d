/**
 * Rows and columns around an image that mirror it, its border itself not repeated (PyTorch's ReflectionPad2d).
 *   input [H, W, C], output [top + H + bottom, left + W + right, C]
 *   forward:  y_{i,j} = x_{r(i-top), r(j-left)}, r(-k) = k, r(H-1+k) = H-1-k
 *   backward: dX = dY folded back: each mirrored row, the nearest first, is added to its source, then each column
 */
import { ShapeError } from '../errors.ts';
import type { Padding } from '../tensor/convolution.ts';
import { checkShape, formatShape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { defineLayer, type TensorRef } from './layer.ts';
import { type Margins, resolveMargins } from './margins.ts';
import { subImage } from './sub-image.ts';

export interface ReflectionPaddingOptions {
  /** Pixels, fewer than the image has along that axis; default 1 on every side. */
  readonly padding?: Margins;
}

export interface ReflectionPaddingConfig {
  readonly padding: Padding;
}

/** A row or column of the output outside of the input, and the one that it mirrors. */
type Mirrored = readonly [mirror: TensorRef, source: TensorRef];

/** Columns beside the input's rows, then whole rows: in this order each source is there before its mirror. */
function mirrors(output: TensorRef, { top, right, bottom, left }: Padding): Mirrored[] {
  const width = output.view.width - left - right;
  const height = output.view.height - top - bottom;
  const column = (at: number) => subImage(output, { top, left: at, height, width: 1 });
  const row = (at: number) => subImage(output, { top: at, left: 0, height: 1, width: output.view.width });
  const around = (
    line: (at: number) => TensorRef,
    first: number,
    last: number,
    before: number,
    after: number,
  ) => [
    ...Array.from({ length: before }, (_, k): Mirrored => [line(first - 1 - k), line(first + 1 + k)]),
    ...Array.from({ length: after }, (_, k): Mirrored => [line(last + 1 + k), line(last - 1 - k)]),
  ];
  return [
    ...around(column, left, left + width - 1, left, right),
    ...around(row, top, top + height - 1, top, bottom),
  ];
}

/** The input's place in the output. */
function middle(output: TensorRef, { top, right, bottom, left }: Padding): TensorRef {
  const { height, width } = output.view;
  return subImage(output, { top, left, height: height - top - bottom, width: width - left - right });
}

/**
 * Images with mirrored borders. Option: padding (1), written as zeroPadding2d's.
 * Throws ConfigError for anything but whole pixels, ShapeError where the image has no more pixels than the padding.
 */
export const reflectionPadding2d = defineLayer<ReflectionPaddingOptions, ReflectionPaddingConfig>({
  type: 'reflectionPadding2d',
  resolve: ({ padding = 1 }, operation) => ({ padding: resolveMargins(operation, 'padding', padding) }),
  outputShape({ padding }, [input], operation) {
    checkShape(operation, 'input shape', input!, 3);
    const [height, width, channels] = input as [number, number, number];
    const { top, right, bottom, left } = padding;
    const least = [Math.max(top, bottom) + 1, Math.max(left, right) + 1] as const;
    if (height >= least[0] && width >= least[1])
      return [top + height + bottom, left + width + right, channels];
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `an image of at least ${formatShape(least)} pixels, more than the padding`,
      received: formatShape([height, width]),
      hint: 'pad by less',
    });
  },
  forward(context) {
    const { config, inputs, output } = context;
    copyTensor(context, inputs[0]!, middle(output, config.padding), false);
    for (const [mirror, source] of mirrors(output, config.padding))
      copyTensor(context, source, mirror, false);
  },
  backward(context) {
    const { config, gradOutput } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    for (const [mirror, source] of mirrors(gradOutput, config.padding).toReversed()) {
      copyTensor(context, mirror, source, true);
    }
    copyTensor(context, middle(gradOutput, config.padding), gradInput, gradInput.accumulate);
  },
  examples: [
    { options: {}, inputShape: [3, 4, 3] },
    { options: { padding: [2, 1] }, inputShape: [3, 2, 5] },
    { options: { padding: { top: 0, right: 3, bottom: 1, left: 2 } }, inputShape: [2, 5, 8] },
  ],
});
