/** The SIMD twin of ../scale-view.ts: the copy of copy-view.ts, each element times the factor. */
import { checkScaleView, type ScaleViewSpec, scaleViewFamily } from '../scale-view.ts';
import { emitCopy } from './copy-view.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const scaleViewTwin: SimdTwin<ScaleViewSpec> = {
  kind: 'scaleView',
  emit(spec) {
    checkScaleView(spec);
    const b = twinFunction(scaleViewFamily, spec);
    emitCopy(b, spec, () => void b.f32x4(spec.factor).op('f32x4.mul'));
    return b;
  },
};
