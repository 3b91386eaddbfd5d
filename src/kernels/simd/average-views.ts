/** The SIMD twin of ../average-views.ts: four elements at a time. */
import { type AverageViewsSpec, averageViewsFamily } from '../average-views.ts';
import { checkSeveralImages } from '../several-views.ts';
import { emitFold } from './several-views.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const averageViewsTwin: SimdTwin<AverageViewsSpec> = {
  kind: 'averageViews',
  emit(spec) {
    checkSeveralImages('averageViews', spec.inputs, { output: spec.output });
    const b = twinFunction(averageViewsFamily, spec);
    emitFold(b, spec, 'f32x4.add', () => void b.f32x4(spec.divisor).op('f32x4.div'));
    return b;
  },
};
