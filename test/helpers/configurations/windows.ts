/** Paddings of windows that move over an image. */
import fc from 'fast-check';
import type { ConvGeometry } from '../../../src/tensor/convolution.ts';

export const paddings = fc.constantFrom('same' as const, 'valid' as const, 'pixels' as const);

/** The option for a geometry; where no window fits without padding, its pixels instead of 'valid'. */
export function paddingOf(g: ConvGeometry, kind: 'same' | 'valid' | 'pixels') {
  const fits =
    g.dilationY * (g.kernelHeight - 1) < g.inHeight && g.dilationX * (g.kernelWidth - 1) < g.inWidth;
  if (kind === 'pixels' || (kind === 'valid' && !fits)) return g.padding;
  return kind;
}
