/** The SIMD twin of ../multiply-views.ts: four elements at a time. */
import { type MultiplyViewsSpec, multiplyViewsFamily } from '../multiply-views.ts';
import { checkSeveralImages } from '../several-views.ts';
import { mapElements } from './rows.ts';
import { walkedInputs } from './several-views.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const multiplyViewsTwin: SimdTwin<MultiplyViewsSpec> = {
  kind: 'multiplyViews',
  emit(spec) {
    checkSeveralImages('multiplyViews', spec.inputs, { output: spec.output });
    const b = twinFunction(multiplyViewsFamily, spec);
    const output = { origin: b.param('output'), view: spec.output };
    const inputs = walkedInputs(b, spec.inputs);
    mapElements(b, inputs, output, b.param('count'), spec.accumulate, ([pushFirst, ...others]) => {
      pushFirst!();
      for (const pushInput of others) {
        pushInput();
        b.op('f32x4.mul');
      }
    });
    return b;
  },
};
