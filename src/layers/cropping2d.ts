/**
 * An image without rows and columns at its borders (the crop of U-Net's skip connections).
 *   input [H, W, C], output [H - top - bottom, W - left - right, C]
 *   forward:  y = the middle of x
 *   backward: dX = dY in the middle, +0 around it (the adjoint: zero padding)
 */
import { ShapeError } from '../errors.ts';
import type { Padding } from '../tensor/convolution.ts';
import { checkShape, formatShape, type Shape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { defineLayer } from './layer.ts';
import { type Margins, resolveMargins } from './margins.ts';
import { clearOutside, type Rectangle, subImage } from './sub-image.ts';

export interface CroppingOptions {
  /** Pixels; default none. */
  readonly cropping?: Margins;
}

export interface CroppingConfig {
  readonly cropping: Padding;
}

/** Where the output lies in the input. */
function middle({ cropping }: CroppingConfig, [height, width]: Shape): Rectangle {
  const { top, right, bottom, left } = cropping;
  return { top, left, height: height! - top - bottom, width: width! - left - right };
}

/**
 * Images without their borders. Option as in Keras: cropping (0), also by sides { top, right, bottom, left }.
 * Throws ConfigError for anything but whole pixels, ShapeError where nothing would remain.
 */
export const cropping2d = defineLayer<CroppingOptions, CroppingConfig>({
  type: 'cropping2d',
  resolve: ({ cropping = 0 }, operation) => ({ cropping: resolveMargins(operation, 'cropping', cropping) }),
  outputShape(config, [input], operation) {
    checkShape(operation, 'input shape', input!, 3);
    const { height, width } = middle(config, input!);
    if (height > 0 && width > 0) return [height, width, input![2]!];
    const { top, right, bottom, left } = config.cropping;
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `an image of at least ${formatShape([top + bottom + 1, left + right + 1])} pixels`,
      received: formatShape(input!.slice(0, 2)),
      hint: 'crop less',
    });
  },
  forward(context) {
    const { config, inputs, output } = context;
    copyTensor(context, subImage(inputs[0]!, middle(config, inputs[0]!.shape)), output, false);
  },
  backward(context) {
    const { config, gradOutput } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    const area = middle(config, gradInput.shape);
    if (!gradInput.accumulate) clearOutside(context, gradInput, area);
    copyTensor(context, gradOutput, subImage(gradInput, area), gradInput.accumulate);
  },
  examples: [
    { options: {}, inputShape: [2, 3, 4] },
    { options: { cropping: 1 }, inputShape: [4, 5, 3] },
    { options: { cropping: { top: 2, right: 0, bottom: 0, left: 1 } }, inputShape: [3, 4, 9] },
  ],
});
