/** The SIMD twin of ../average-weights.ts: four or eight weights at a time. */
import { type AverageWeightsSpec, averageWeightsFamily } from '../average-weights.ts';
import { emitRun, loadPart, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const averageWeightsTwin: SimdTwin<AverageWeightsSpec> = {
  kind: 'averageWeights',
  emit(spec) {
    const b = twinFunction(averageWeightsFamily, spec);
    const [kept, added] = [b.local('v128', 'kept'), b.local('v128', 'added')];
    const results = b.localArray('v128', 2, 'result');
    const [average, param] = [b.param('average'), b.param('param')];
    b.get(b.param('hyper')).memory('v128.load32_splat', 8).set(kept);
    b.get(b.param('hyper')).memory('v128.load32_splat', 12).set(added);
    emitRun(b, b.param('length'), [average, param], (parts) => {
      parts.forEach((part, i) => {
        b.get(kept);
        loadPart(b, average, part).op('f32x4.mul').set(results[i]!);
      });
      parts.forEach((part, i) => {
        b.get(results[i]!).get(added);
        loadPart(b, param, part).op('f32x4.mul').op('f32x4.add').set(results[i]!);
      });
      [...parts.entries()].reverse().forEach(([i, part]) => {
        storePart(b, average, part, results[i]!);
      });
    });
    return b;
  },
};
