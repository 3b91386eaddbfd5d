/** The SIMD twin of clear-view.ts: vectors of zeros by runs as long as the view is without a gap. */
import { type ClearViewSpec, clearViewFamily } from '../clear-view.ts';
import { emitViewRuns, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const clearViewTwin: SimdTwin<ClearViewSpec> = {
  kind: 'clearView',
  emit(spec) {
    const b = twinFunction(clearViewFamily, spec);
    const zero = b.local('v128', 'zero');
    b.f32x4(0).set(zero);
    emitViewRuns(b, [spec.output], [b.param('output')], b.param('count'), (parts, [output]) => {
      for (const part of [...parts].reverse()) storePart(b, output!, part, zero);
    });
    return b;
  },
};
