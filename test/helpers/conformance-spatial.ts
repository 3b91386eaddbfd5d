/** The maps of layers that move pixels: padding, cropping, resizing. */
import type { Padding } from '../../src/tensor/convolution.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { type LinearMap, linearMapOracle, type Term } from './conformance-linear.ts';
import type { LayerProblem } from './conformance-oracle.ts';

type Index = readonly [y: number, x: number, c: number];

/** The map whose output element (y, x, c) is made of `terms`, given as places in the input. */
function mapOfPixels(
  { inputShape, outputShape }: LayerProblem,
  terms: (...at: Index) => readonly (readonly [at: Index, factor: number])[],
): LinearMap {
  const [height, width, channels] = inputShape as [number, number, number];
  const [, outWidth, outChannels] = outputShape as [number, number, number];
  return Array.from({ length: elementCount(outputShape) }, (_, i) => {
    const pixel = Math.floor(i / outChannels);
    const inside = ([[y, x]]: readonly [Index, number]) => y >= 0 && y < height && x >= 0 && x < width;
    return terms(Math.floor(pixel / outWidth), pixel % outWidth, i % outChannels)
      .filter(inside)
      .map(([[y, x, c], factor]): Term => [(y * width + x) * channels + c, factor]);
  });
}

/** Each output pixel is an input pixel, or nothing where that lies outside of the image. */
function movedPixels(from: (config: never, y: number, x: number, input: Shape) => readonly [number, number]) {
  return linearMapOracle((problem) =>
    mapOfPixels(problem, (y, x, c) => [
      [[...from(problem.config as never, y, x, problem.inputShape), c] as Index, 1],
    ]),
  );
}

export const zeroPaddingOracle = movedPixels(({ padding }: { padding: Padding }, y, x) => [
  y - padding.top,
  x - padding.left,
]);

export const croppingOracle = movedPixels(({ cropping }: { cropping: Padding }, y, x) => [
  y + cropping.top,
  x + cropping.left,
]);

export const upSamplingOracle = movedPixels(({ size }: { size: readonly [number, number] }, y, x) => [
  Math.floor(y / size[0]),
  Math.floor(x / size[1]),
]);
