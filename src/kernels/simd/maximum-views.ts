/**
 * The SIMD twin of ../maximum-views.ts: four elements at a time. f32x4.pmax(a, b) is a < b ? b : a, so it keeps the
 * earlier of equal values and lets no later NaN in; NaN is noted apart, and all bits set is one.
 */
import { type MaximumViewsSpec, maximumViewsFamily } from '../maximum-views.ts';
import { checkSeveralImages } from '../several-views.ts';
import { mapElements } from './rows.ts';
import { walkedInputs } from './several-views.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const maximumViewsTwin: SimdTwin<MaximumViewsSpec> = {
  kind: 'maximumViews',
  emit(spec) {
    checkSeveralImages('maximumViews', spec.inputs, { output: spec.output });
    const b = twinFunction(maximumViewsFamily, spec);
    const output = { origin: b.param('output'), view: spec.output };
    const [value, best, unordered] = ['value', 'best', 'unordered'].map((name) => b.local('v128', name));
    mapElements(
      b,
      walkedInputs(b, spec.inputs),
      output,
      b.param('count'),
      false,
      ([pushFirst, ...others]) => {
        pushFirst!();
        b.set(best!).f32x4(0).set(unordered!);
        for (const pushInput of others) {
          pushInput();
          b.set(value!);
          b.get(best!).get(value!).op('f32x4.pmax').set(best!);
          b.get(unordered!).get(value!).get(value!).op('f32x4.ne').op('v128.or').set(unordered!);
        }
        b.get(best!).get(unordered!).op('v128.or');
      },
    );
    return b;
  },
};
