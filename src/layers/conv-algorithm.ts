/**
 * Which algorithm computes a convolution: a rule on shapes alone, so that the bits never depend on a timing.
 *
 *   'fast' (default)  F(4,3) or F(2,3), whichever needs least work, where it needs less than the direct kernel
 *   'accurate'        F(2,3), whose error is below the direct kernel's, or direct
 *   'direct'          always direct
 *
 * Work is counted in multiplications an output channel pair, times a factor for the transforms (measured).
 * Winograd takes 3x3 kernels with strides, dilation and groups of 1 and at least 16 channels on both sides.
 */
import { winogradFits } from '../kernels/winograd-geometry.ts';
import type { OutputTile } from '../kernels/winograd-transforms.ts';
import type { ConvGeometry } from '../tensor/convolution.ts';

/** A model's choice between speed and closeness to exact results. */
export type Numerics = 'direct' | 'accurate' | 'fast';

/** A layer's own choice; 'auto' follows the model's. */
export type ConvAlgorithm = 'auto' | 'direct' | 'winograd2' | 'winograd4';

/** Below so many channels the transforms cost more than they save. */
const LEAST_CHANNELS = 16;
/** Time a multiplication against the direct kernel's. */
const TRANSFORM_COST: Record<OutputTile, number> = { 2: 1.2, 4: 1.35 };

/** The output tile of Winograd's algorithm, or 0 for the direct kernel. */
export function chooseTile(g: ConvGeometry, numerics: Numerics, algorithm: ConvAlgorithm): 0 | OutputTile {
  if (!winogradFits(g) || algorithm === 'direct') return 0;
  if (algorithm === 'winograd2') return 2;
  if (algorithm === 'winograd4') return 4;
  if (numerics === 'direct' || Math.min(g.inChannels, g.outChannels) < LEAST_CHANNELS) return 0;
  const candidates: readonly (0 | OutputTile)[] = numerics === 'accurate' ? [0, 2] : [0, 2, 4];
  return candidates.reduce((best, tile) => (workOf(g, tile) < workOf(g, best) ? tile : best));
}

function workOf(g: ConvGeometry, tile: 0 | OutputTile): number {
  if (tile === 0) return 9 * g.outHeight * g.outWidth;
  const tiles = Math.ceil(g.outHeight / tile) * Math.ceil(g.outWidth / tile);
  return (tile + 2) * (tile + 2) * tiles * TRANSFORM_COST[tile];
}
