/** The SIMD twin of ../check-finite.ts for f32: joins the bits of y - y, y = x * x, over all elements. */
import { type CheckFiniteSpec, checkFiniteFamily } from '../check-finite.ts';
import { emitRun, loadPart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const checkFiniteTwin: SimdTwin<CheckFiniteSpec> = {
  kind: 'checkFinite',
  emit(spec) {
    if (spec.type !== 'f32') return undefined;
    const b = twinFunction(checkFiniteFamily, spec);
    const found = b.localArray('v128', 2, 'found');
    const values = b.localArray('v128', 2, 'value');
    emitRun(b, b.param('length'), [b.param('values')], (parts) => {
      parts.forEach((part, i) => {
        loadPart(b, b.param('values'), part).set(values[i]!);
      });
      parts.forEach((_, i) => {
        b.get(values[i]!).get(values[i]!).op('f32x4.mul').set(values[i]!);
      });
      parts.forEach((_, i) => {
        b.get(values[i]!).get(values[i]!).op('f32x4.sub').get(found[i]!).op('v128.or').set(found[i]!);
      });
    });
    b.get(b.param('verdict'));
    b.get(found[0]!).get(found[1]!).op('v128.or').op('v128.any_true');
    b.memory('i32.store');
    return b;
  },
};
