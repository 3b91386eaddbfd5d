/** SIMD twin of ../dense-pack.ts: the convolution's packing with a single tap. */
import { densePackConvolution, type PackDenseSpec, packDense } from '../dense-pack.ts';
import { emitPack } from './conv2d-pack.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const packDenseTwin: SimdTwin<PackDenseSpec> = {
  kind: 'packDense',
  emit(spec) {
    const b = twinFunction(packDense, spec);
    emitPack(b, densePackConvolution(spec));
    return b;
  },
};
