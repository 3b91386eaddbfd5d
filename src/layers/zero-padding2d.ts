/**
 * Rows and columns of zeros around an image.
 *   input [H, W, C], output [top + H + bottom, left + W + right, C]
 *   forward:  y = x in the middle, +0 around it
 *   backward: dX = the middle of dY (the adjoint: cropping)
 */
import type { Padding } from '../tensor/convolution.ts';
import { checkShape, type Shape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { defineLayer } from './layer.ts';
import { type Margins, resolveMargins } from './margins.ts';
import { clearOutside, type Rectangle, subImage } from './sub-image.ts';

export interface ZeroPaddingOptions {
  /** Pixels; default 1 on every side. */
  readonly padding?: Margins;
}

export interface ZeroPaddingConfig {
  readonly padding: Padding;
}

/** Where the input lies in the output. */
function middle({ padding }: ZeroPaddingConfig, [height, width]: Shape): Rectangle {
  return { top: padding.top, left: padding.left, height: height!, width: width! };
}

/**
 * Zeros around images. Option as in Keras: padding (1), also by sides { top, right, bottom, left }.
 * Throws ConfigError for anything but whole pixels, ShapeError for inputs that are not images.
 */
export const zeroPadding2d = defineLayer<ZeroPaddingOptions, ZeroPaddingConfig>({
  type: 'zeroPadding2d',
  resolve: ({ padding = 1 }, operation) => ({ padding: resolveMargins(operation, 'padding', padding) }),
  outputShape({ padding }, [input], operation) {
    checkShape(operation, 'input shape', input!, 3);
    const [height, width, channels] = input as [number, number, number];
    const { top, right, bottom, left } = padding;
    return [top + height + bottom, left + width + right, channels];
  },
  forward(context) {
    const { config, inputs, output } = context;
    const area = middle(config, inputs[0]!.shape);
    clearOutside(context, output, area);
    copyTensor(context, inputs[0]!, subImage(output, area), false);
  },
  backward(context) {
    const { config, gradOutput } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    const part = subImage(gradOutput, middle(config, gradInput.shape));
    copyTensor(context, part, gradInput, gradInput.accumulate);
  },
  examples: [
    { options: {}, inputShape: [3, 4, 3] },
    {
      options: {
        padding: [
          [0, 2],
          [1, 0],
        ],
      },
      inputShape: [4, 3, 5],
    },
    { options: { padding: { top: 0, right: 3, bottom: 1, left: 2 } }, inputShape: [2, 3, 8] },
  ],
});
