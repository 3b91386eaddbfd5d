/** The SIMD twin of ../dropout-mask.ts: sixteen numbers at a time, as in dropout-forward.ts. */
import { checkDropoutRate } from '../dropout-forward.ts';
import { type DropoutMaskSpec, dropoutMaskFamily } from '../dropout-mask.ts';
import { drawMasks } from './dropout-forward.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const dropoutMaskTwin: SimdTwin<DropoutMaskSpec> = {
  kind: 'dropoutMask',
  emit(spec) {
    checkDropoutRate('dropoutMask', spec.rate);
    const b = twinFunction(dropoutMaskFamily, spec);
    drawMasks(b, spec);
    return b;
  },
};
