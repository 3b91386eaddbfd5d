/** The SIMD twin of ../multiply-views.ts: four elements at a time. */
import { type MultiplyViewsSpec, multiplyViewsFamily } from '../multiply-views.ts';
import { checkSeveralImages } from '../several-views.ts';
import { emitFold } from './several-views.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const multiplyViewsTwin: SimdTwin<MultiplyViewsSpec> = {
  kind: 'multiplyViews',
  emit(spec) {
    checkSeveralImages('multiplyViews', spec.inputs, { output: spec.output });
    const b = twinFunction(multiplyViewsFamily, spec);
    emitFold(b, spec, 'f32x4.mul');
    return b;
  },
};
