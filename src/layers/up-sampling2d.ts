/**
 * Upsampling: each pixel becomes `size` pixels.
 *   input [H, W, C], output [sizeY*H, sizeX*W, C]
 *   forward:  y_{sizeY*i+a, sizeX*j+b} = x_{i,j}
 *   backward: dX_{i,j} = sum over a, b of dY_{sizeY*i+a, sizeX*j+b}, a, then b ascending, each sum rounded to f32
 */
import { type Pair, toPair } from '../tensor/convolution.ts';
import { checkShape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { type BackwardContext, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';
import { subImage } from './sub-image.ts';

export interface UpSamplingOptions {
  /** Rows and columns made of one; default 2. */
  readonly size?: Pair;
}

export interface UpSamplingConfig {
  readonly size: readonly [number, number];
}

/** Column b of each pixel's columns, in row a of its rows. */
function copyOf(
  image: TensorRef,
  [stepY, stepX]: readonly [number, number],
  a: number,
  b: number,
): TensorRef {
  const height = image.view.height / stepY;
  const width = image.view.width / stepX;
  return subImage(image, { top: a, left: b, height, width, stepY, stepX });
}

/** The first row of each pixel's rows, column by column; then the others from it, each in one piece. */
function forward(context: ForwardContext<UpSamplingConfig>): void {
  const { config, inputs, output } = context;
  const [sizeY, sizeX] = config.size;
  for (let b = 0; b < sizeX; b++)
    copyTensor(context, inputs[0]!, copyOf(output, [sizeY, sizeX], 0, b), false);
  const rows = (a: number) => copyOf(output, [sizeY, 1], a, 0);
  for (let a = 1; a < sizeY; a++) copyTensor(context, rows(0), rows(a), false);
}

function backward(context: BackwardContext<UpSamplingConfig>): void {
  const { config, gradOutput } = context;
  const [sizeY, sizeX] = config.size;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  for (let a = 0; a < sizeY; a++) {
    for (let b = 0; b < sizeX; b++) {
      const from = copyOf(gradOutput, config.size, a, b);
      copyTensor(context, from, gradInput, gradInput.accumulate || a + b > 0);
    }
  }
}

/**
 * Larger images. Option as in Keras: size (2). Throws ConfigError for anything but positive integers, ShapeError for
 * inputs that are not images.
 */
export const upSampling2d = defineLayer<UpSamplingOptions, UpSamplingConfig>({
  type: 'upSampling2d',
  resolve: ({ size = 2 }, operation) => ({ size: toPair(operation, 'size', size) }),
  outputShape({ size }, [input], operation) {
    checkShape(operation, 'input shape', input!, 3);
    const [height, width, channels] = input as [number, number, number];
    return [size[0] * height, size[1] * width, channels];
  },
  forward,
  backward,
  examples: [
    { options: {}, inputShape: [3, 4, 3] },
    { options: { size: [1, 3] }, inputShape: [2, 3, 8] },
    { options: { size: [3, 2] }, inputShape: [2, 1, 5] },
  ],
});
