/** The SIMD twin of ../activation-backward.ts: gradInput = gradOutput * derivative(saved), or + gradInput. */
import {
  type ActivationBackwardSpec,
  activationBackwardFamily,
  checkActivationBackward,
} from '../activation-backward.ts';
import { derivativeFunction } from './activation-functions.ts';
import { mapElements } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const activationBackwardTwin: SimdTwin<ActivationBackwardSpec> = {
  kind: 'activationBackward',
  emit(spec) {
    checkActivationBackward(spec);
    const isRelu = spec.function === 'relu' || spec.function === 'relu6';
    const pushDerivative = derivativeFunction(spec.function, spec.alpha);
    if (pushDerivative === undefined && !isRelu) return undefined;
    const b = twinFunction(activationBackwardFamily, spec);
    const y = b.local('v128', 'y');
    const inputs = [
      { origin: b.param('saved'), view: spec.saved },
      { origin: b.param('gradOutput'), view: spec.gradOutput },
    ];
    const output = { origin: b.param('gradInput'), view: spec.gradInput };
    mapElements(
      b,
      inputs,
      output,
      b.param('count'),
      spec.accumulate,
      ([pushSaved, pushGradient], { lanes }) => {
        pushGradient!();
        pushSaved!();
        b.set(y);
        if (pushDerivative === undefined) {
          b.get(y).f32x4(0).op('f32x4.gt').op('v128.and');
          if (spec.function === 'relu6') b.get(y).f32x4(6).op('f32x4.lt').op('v128.and');
          return;
        }
        pushDerivative(b, y, lanes);
        b.op('f32x4.mul');
      },
    );
    return b;
  },
};
