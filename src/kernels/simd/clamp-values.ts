/** The SIMD twin of ../clamp-values.ts: four or eight values at a time; pmin and pmax keep NaN and -0. */
import { type ClampValuesSpec, clampValuesFamily } from '../clamp-values.ts';
import { emitRun, loadPart, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const clampValuesTwin: SimdTwin<ClampValuesSpec> = {
  kind: 'clampValues',
  emit(spec) {
    const b = twinFunction(clampValuesFamily, spec);
    const results = b.localArray('v128', 2, 'result');
    const values = b.param('values');
    emitRun(b, b.param('length'), [values], (parts) => {
      parts.forEach((part, i) => {
        loadPart(b, values, part).set(results[i]!);
      });
      parts.forEach((_, i) => {
        b.get(results[i]!).f32x4(spec.limit).op('f32x4.pmin').set(results[i]!);
      });
      parts.forEach((_, i) => {
        b.get(results[i]!).f32x4(-spec.limit).op('f32x4.pmax').set(results[i]!);
      });
      [...parts.entries()].reverse().forEach(([i, part]) => {
        storePart(b, values, part, results[i]!);
      });
    });
    return b;
  },
};
