/** SIMD twin of ../dense-input-gradient.ts: the convolution's emitter, its pixels being the samples. */
import {
  type DenseInputGradientSpec,
  denseGradientConvolution,
  denseInputGradient,
} from '../dense-input-gradient.ts';
import { emitInputGradient } from './conv2d-input-gradient.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const denseInputGradientTwin: SimdTwin<DenseInputGradientSpec> = {
  kind: 'denseInputGradient',
  emit(spec, target) {
    const b = twinFunction(denseInputGradient, spec);
    emitInputGradient(b, denseGradientConvolution(spec), target);
    return b;
  },
};
