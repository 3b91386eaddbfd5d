/** The SIMD twin of ../average-views.ts: four elements at a time. */
import { type AverageViewsSpec, averageViewsFamily } from '../average-views.ts';
import { checkSeveralImages } from '../several-views.ts';
import { mapElements } from './rows.ts';
import { walkedInputs } from './several-views.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const averageViewsTwin: SimdTwin<AverageViewsSpec> = {
  kind: 'averageViews',
  emit(spec) {
    checkSeveralImages('averageViews', spec.inputs, { output: spec.output });
    const b = twinFunction(averageViewsFamily, spec);
    const output = { origin: b.param('output'), view: spec.output };
    const inputs = walkedInputs(b, spec.inputs);
    mapElements(b, inputs, output, b.param('count'), spec.accumulate, ([pushFirst, ...others]) => {
      pushFirst!();
      for (const pushInput of others) {
        pushInput();
        b.op('f32x4.add');
      }
      b.f32x4(spec.divisor).op('f32x4.div');
    });
    return b;
  },
};
