/** SIMD twin of ../dense-forward.ts: the convolution's emitter, its pixels being the samples. */
import { type DenseForwardSpec, denseForward, denseForwardConvolution } from '../dense-forward.ts';
import { emitForward } from './conv2d-forward.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const denseForwardTwin: SimdTwin<DenseForwardSpec> = {
  kind: 'denseForward',
  emit(spec, target) {
    const b = twinFunction(denseForward, spec);
    emitForward(b, denseForwardConvolution(spec), target);
    return b;
  },
};
