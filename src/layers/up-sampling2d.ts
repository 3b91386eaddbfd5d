/**
 * Upsampling: each pixel becomes `size` pixels, alike or blended with its neighbours.
 *   input [H, W, C], output [sizeY*H, sizeX*W, C]
 *   nearest   forward:  y_{sizeY*i+a, sizeX*j+b} = x_{i,j}
 *             backward: dX_{i,j} = sum of dY_{sizeY*i+a, sizeX*j+b}, a, then b ascending, each sum rounded to f32
 *   bilinear  bilinear.ts
 */
import { ConfigError, formatValue } from '../errors.ts';
import { type Pair, toPair } from '../tensor/convolution.ts';
import { checkShape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { resizeBilinear, resizeBilinearBackward } from './bilinear.ts';
import { type BackwardContext, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';
import { subImage } from './sub-image.ts';

export interface UpSamplingOptions {
  /** Rows and columns made of one; default 2. */
  readonly size?: Pair;
  /** Default 'nearest'. */
  readonly interpolation?: Interpolation;
}

/** Copies of the nearest pixel, or a blend of the four around. */
export type Interpolation = 'nearest' | 'bilinear';

export interface UpSamplingConfig {
  readonly size: readonly [number, number];
  readonly interpolation: Interpolation;
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
  if (config.interpolation === 'bilinear') {
    resizeBilinear(context, config.size, inputs[0]!, output);
    return;
  }
  const [sizeY, sizeX] = config.size;
  for (let b = 0; b < sizeX; b++)
    copyTensor(context, inputs[0]!, copyOf(output, [sizeY, sizeX], 0, b), false);
  const rows = (a: number) => copyOf(output, [sizeY, 1], a, 0);
  for (let a = 1; a < sizeY; a++) copyTensor(context, rows(0), rows(a), false);
}

function checkInterpolation(operation: string, value: Interpolation): Interpolation {
  if (value === 'nearest' || value === 'bilinear') return value;
  throw new ConfigError({
    operation,
    argument: 'interpolation',
    expected: "'nearest' or 'bilinear'",
    received: formatValue(value),
  });
}

function backward(context: BackwardContext<UpSamplingConfig>): void {
  const { config, gradOutput } = context;
  const [sizeY, sizeX] = config.size;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  if (config.interpolation === 'bilinear') {
    resizeBilinearBackward(context, config.size, gradOutput, gradInput);
    return;
  }
  for (let a = 0; a < sizeY; a++) {
    for (let b = 0; b < sizeX; b++) {
      const from = copyOf(gradOutput, config.size, a, b);
      copyTensor(context, from, gradInput, gradInput.accumulate || a + b > 0);
    }
  }
}

/**
 * Larger images. Options as in Keras: size (2), interpolation ('nearest', or 'bilinear').
 * Throws ConfigError for senseless options, ShapeError for inputs that are not images.
 */
export const upSampling2d = defineLayer<UpSamplingOptions, UpSamplingConfig>({
  type: 'upSampling2d',
  resolve: ({ size = 2, interpolation = 'nearest' }, operation) => ({
    size: toPair(operation, 'size', size),
    interpolation: checkInterpolation(operation, interpolation),
  }),
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
    { options: { interpolation: 'bilinear' }, inputShape: [3, 4, 3] },
    { options: { size: [3, 4], interpolation: 'bilinear' }, inputShape: [2, 1, 9] },
  ],
});
