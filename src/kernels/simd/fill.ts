/** The SIMD twin of fill.ts: vectors of one value. */
import { type FillSpec, fillFamily } from '../fill.ts';
import { emitRun, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const fillTwin: SimdTwin<FillSpec> = {
  kind: 'fill',
  emit(spec) {
    const b = twinFunction(fillFamily, spec);
    const output = b.param('output');
    const value = b.local('v128', 'value');
    b.f32x4(spec.value).set(value);
    emitRun(b, b.param('length'), [output], (parts) => {
      for (const part of parts) storePart(b, output, part, value);
    });
    return b;
  },
};
