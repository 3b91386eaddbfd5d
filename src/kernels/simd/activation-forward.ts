/** The SIMD twin of ../activation-forward.ts: output = function(input), four elements at a time. */
import {
  type ActivationForwardSpec,
  activationForwardFamily,
  checkActivationForward,
} from '../activation-forward.ts';
import { forwardFunction } from './activation-functions.ts';
import { mapElements } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const activationForwardTwin: SimdTwin<ActivationForwardSpec> = {
  kind: 'activationForward',
  emit(spec) {
    checkActivationForward(spec);
    const pushValue = forwardFunction(spec.function, spec.alpha);
    if (pushValue === undefined) return undefined;
    const b = twinFunction(activationForwardFamily, spec);
    const x = b.local('v128', 'x');
    const input = { origin: b.param('input'), view: spec.input };
    const output = { origin: b.param('output'), view: spec.output };
    mapElements(b, [input], output, b.param('count'), false, ([pushInput], { lanes }) => {
      pushInput!();
      b.set(x);
      pushValue(b, x, lanes);
    });
    return b;
  },
};
