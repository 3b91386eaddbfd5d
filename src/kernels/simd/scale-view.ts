/** The SIMD twin of ../scale-view.ts: by runs as long as both views are without a gap. */
import { checkScaleView, type ScaleViewSpec, scaleViewFamily } from '../scale-view.ts';
import { emitViewRuns, loadPart, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const scaleViewTwin: SimdTwin<ScaleViewSpec> = {
  kind: 'scaleView',
  emit(spec) {
    checkScaleView(spec);
    const b = twinFunction(scaleViewFamily, spec);
    const values = b.localArray('v128', 2, 'value');
    const views = [spec.input, spec.output];
    const origins = [b.param('input'), b.param('output')];
    emitViewRuns(b, views, origins, b.param('count'), (parts, [input, output]) => {
      parts.forEach((part, i) => {
        loadPart(b, input!, part).f32x4(spec.factor).op('f32x4.mul').set(values[i]!);
      });
      if (spec.accumulate) {
        parts.forEach((part, i) => {
          loadPart(b, output!, part).get(values[i]!).op('f32x4.add').set(values[i]!);
        });
      }
      parts.forEach((part, i) => {
        storePart(b, output!, part, values[i]!);
      });
    });
    return b;
  },
};
