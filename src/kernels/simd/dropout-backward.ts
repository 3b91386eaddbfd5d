/** The SIMD twin of ../dropout-backward.ts: gradInput = gradOutput * mask, or + gradInput. */
import { type DropoutBackwardSpec, dropoutBackwardFamily } from '../dropout-backward.ts';
import { checkSameImages } from '../pixels.ts';
import { mapElements, packedView } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const dropoutBackwardTwin: SimdTwin<DropoutBackwardSpec> = {
  kind: 'dropoutBackward',
  emit(spec) {
    checkSameImages('dropoutBackward', { gradOutput: spec.gradOutput, gradInput: spec.gradInput });
    const b = twinFunction(dropoutBackwardFamily, spec);
    const inputs = [
      { origin: b.param('gradOutput'), view: spec.gradOutput },
      { origin: b.param('mask'), view: packedView(spec.gradOutput) },
    ];
    const output = { origin: b.param('gradInput'), view: spec.gradInput };
    mapElements(b, inputs, output, b.param('count'), spec.accumulate, ([pushGradient, pushMask]) => {
      pushGradient!();
      pushMask!();
      b.op('f32x4.mul');
    });
    return b;
  },
};
