/** The SIMD twin of copy-view.ts: copies or adds by runs as long as both views are without a gap. */
import { type CopyViewSpec, copyViewFamily } from '../copy-view.ts';
import { checkSameImages } from '../pixels.ts';
import { emitViewRuns, loadPart, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const copyViewTwin: SimdTwin<CopyViewSpec> = {
  kind: 'copyView',
  emit(spec) {
    checkSameImages('copyView', { input: spec.input, output: spec.output });
    const b = twinFunction(copyViewFamily, spec);
    const values = b.localArray('v128', 2, 'value');
    const views = [spec.input, spec.output];
    const origins = [b.param('input'), b.param('output')];
    emitViewRuns(b, views, origins, b.param('count'), (parts, [input, output]) => {
      parts.forEach((part, i) => {
        loadPart(b, input!, part).set(values[i]!);
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
