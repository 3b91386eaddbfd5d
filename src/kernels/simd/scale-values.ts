/** The SIMD twin of ../scale-values.ts: four or eight values at a time. */
import { type ScaleValuesSpec, scaleValuesFamily } from '../scale-values.ts';
import { emitRun, loadPart, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const scaleValuesTwin: SimdTwin<ScaleValuesSpec> = {
  kind: 'scaleValues',
  emit(spec) {
    const b = twinFunction(scaleValuesFamily, spec);
    const factor = b.local('v128', 'factor');
    const results = b.localArray('v128', 2, 'result');
    const values = b.param('values');
    b.get(b.param('factor')).memory('v128.load32_splat').set(factor);
    emitRun(b, b.param('length'), [values], (parts) => {
      parts.forEach((part, i) => {
        loadPart(b, values, part).set(results[i]!);
      });
      parts.forEach((_, i) => {
        b.get(results[i]!).get(factor).op('f32x4.mul').set(results[i]!);
      });
      [...parts.entries()].reverse().forEach(([i, part]) => {
        storePart(b, values, part, results[i]!);
      });
    });
    return b;
  },
};
