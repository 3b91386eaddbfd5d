/** Which element of a smaller input stands for an element of the output, by the shapes' coordinates. */
import type { Shape } from '../../src/tensor/shape.ts';

/** Of each element of an output [outputShape], row-major, the input's element: along an axis of extent 1 the only one. */
export function broadcastPlaces(shape: Shape, outputShape: Shape): readonly number[] {
  let places = [0];
  outputShape.forEach((extent, axis) => {
    const own = shape[axis - (outputShape.length - shape.length)] ?? 1;
    places = places.flatMap((place) =>
      Array.from({ length: extent }, (_, i) => place * own + (own === 1 ? 0 : i)),
    );
  });
  return places;
}
