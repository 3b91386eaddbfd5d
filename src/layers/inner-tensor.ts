/** Images that a layer keeps for itself, between two of its kernels. */
import { denseView, viewLead } from '../tensor/view.ts';
import type { ForwardContext, TensorRef } from './layer.ts';
import { clearOutside, subImage } from './sub-image.ts';

/** An image [height, width, channels] a sample; the same in both passes by name. Its halo is to be cleared first. */
export function innerTensor(
  { saved }: Pick<ForwardContext<unknown>, 'saved'>,
  name: string,
  shape: readonly [height: number, width: number, channels: number],
  halo = 0,
): TensorRef {
  const view = denseView(...shape, halo);
  const { buffer, offsetBytes } = saved(name, view.imageStride);
  return { shape, view, origin: { buffer, offsetBytes: offsetBytes + 4 * viewLead(view) } };
}

/** Writes +0 into the halo, which others have used as memory. */
export function clearHalo(context: Pick<ForwardContext<unknown>, 'call'>, image: TensorRef): void {
  const { height, width, halo } = image.view;
  if (halo === 0) return;
  const area = { top: -halo, left: -halo, height: height + 2 * halo, width: width + 2 * halo };
  clearOutside(context, subImage(image, area), { top: halo, left: halo, height, width });
}
