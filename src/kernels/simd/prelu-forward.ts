/** The SIMD twin of ../prelu-forward.ts: four channels of a pixel at a time. */
import { checkSameImages } from '../pixels.ts';
import { type PreluForwardSpec, preluForwardFamily } from '../prelu-forward.ts';
import { broadcastView, mapElements } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const preluForwardTwin: SimdTwin<PreluForwardSpec> = {
  kind: 'preluForward',
  emit(spec) {
    checkSameImages('preluForward', { input: spec.input, output: spec.output });
    const b = twinFunction(preluForwardFamily, spec);
    const x = b.local('v128', 'x');
    const inputs = [
      { origin: b.param('input'), view: spec.input },
      { origin: b.param('alpha'), view: broadcastView(spec.input) },
    ];
    const output = { origin: b.param('output'), view: spec.output };
    mapElements(b, inputs, output, b.param('count'), false, ([pushInput, pushAlpha]) => {
      pushInput!();
      b.set(x);
      pushAlpha!();
      b.get(x).op('f32x4.mul').get(x);
      b.get(x).f32x4(0).op('f32x4.lt').op('v128.bitselect');
    });
    return b;
  },
};
