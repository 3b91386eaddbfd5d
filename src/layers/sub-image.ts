/** Parts of images in place: what padding, cropping and resizing move between, by the kernels that copy views. */
import type { ClearViewSpec } from '../kernels/clear-view.ts';
import type { View } from '../tensor/view.ts';
import type { ForwardContext, TensorRef } from './layer.ts';

/** Rows [top, top + height) and columns [left, left + width) of an image. */
export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Every `stepY`-th row and `stepX`-th column of an image, from a corner on. */
export interface Lattice extends Rectangle {
  readonly stepY: number;
  readonly stepX: number;
}

/** Pixels of an image, in its memory. `height` and `width` count the pixels taken. */
export function subImage(image: TensorRef, area: Rectangle | Lattice): TensorRef {
  const { top, left, height, width } = area;
  const { stepY = 1, stepX = 1 } = area as Partial<Lattice>;
  const { channels, pixelStride, rowStride, imageStride } = image.view;
  const view: View = {
    height,
    width,
    channels,
    pixelStride: pixelStride * stepX,
    rowStride: rowStride * stepY,
    imageStride,
    halo: 0,
  };
  const { buffer, offsetBytes } = image.origin;
  const elements = top * rowStride + left * pixelStride;
  return {
    shape: [height, width, channels],
    view,
    origin: { buffer, offsetBytes: offsetBytes + 4 * elements },
  };
}

/** Writes +0 into every element of a tensor; its halo stays. */
export function clearTensor({ call }: Pick<ForwardContext<unknown>, 'call'>, tensor: TensorRef): void {
  const spec: ClearViewSpec = { kind: 'clearView', output: tensor.view };
  call(spec, [tensor.origin, 'count']);
}

/** Writes +0 into all pixels of an image outside of a rectangle, the halo not counted. */
export function clearOutside(
  context: Pick<ForwardContext<unknown>, 'call'>,
  image: TensorRef,
  { top, left, height, width }: Rectangle,
): void {
  const { view } = image;
  const right = left + width;
  const bottom = top + height;
  const strips: readonly Rectangle[] = [
    { top: 0, left: 0, height: top, width: view.width },
    { top, left: 0, height, width: left },
    { top, left: right, height, width: view.width - right },
    { top: bottom, left: 0, height: view.height - bottom, width: view.width },
  ];
  for (const strip of strips) {
    if (strip.height === 0 || strip.width === 0) continue;
    clearTensor(context, subImage(image, strip));
  }
}
