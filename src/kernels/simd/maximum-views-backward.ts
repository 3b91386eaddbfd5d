/**
 * The SIMD twin of ../maximum-views-backward.ts: an input x loses where an earlier one is at least as large or NaN, or
 * where a later one is larger, or NaN while x is not.
 */
import { type MaximumViewsBackwardSpec, maximumViewsBackwardFamily } from '../maximum-views-backward.ts';
import { checkSeveralImages } from '../several-views.ts';
import { mapElements } from './rows.ts';
import { walkedInputs } from './several-views.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const maximumViewsBackwardTwin: SimdTwin<MaximumViewsBackwardSpec> = {
  kind: 'maximumViewsBackward',
  emit(spec) {
    const { inputs, index, gradOutput, gradInput, accumulate } = spec;
    checkSeveralImages('maximumViewsBackward', inputs, { gradOutput, gradInput });
    const b = twinFunction(maximumViewsBackwardFamily, spec);
    const sources = [...walkedInputs(b, inputs), { origin: b.param('gradOutput'), view: gradOutput }];
    const target = { origin: b.param('gradInput'), view: gradInput };
    const [x, other, lost] = ['x', 'other', 'lost'].map((name) => b.local('v128', name));
    const pushIsNaN = (value: typeof x) => b.get(value!).get(value!).op('f32x4.ne');
    mapElements(b, sources, target, b.param('count'), accumulate, (loads) => {
      loads[index]!();
      b.set(x!).f32x4(0).set(lost!);
      inputs.forEach((_, i) => {
        if (i === index) return;
        loads[i]!();
        b.set(other!);
        pushIsNaN(other);
        if (i > index) {
          pushIsNaN(x);
          b.op('v128.andnot');
        }
        b.get(other!)
          .get(x!)
          .op(i < index ? 'f32x4.ge' : 'f32x4.gt');
        b.op('v128.or').get(lost!).op('v128.or').set(lost!);
      });
      loads[inputs.length]!();
      b.get(lost!).op('v128.andnot');
    });
    return b;
  },
};
