/**
 * The SIMD twin of ../softmax-forward.ts, in scalar f64 WebAssembly: one pixel after the other, one channel
 * after the other. The exponentials are computed twice, once for their sum and once for the quotients: a
 * row is short, and no scratch memory is needed.
 */
import { checkSameImages } from '../pixels.ts';
import { type SoftmaxForwardSpec, softmaxForwardFamily } from '../softmax-forward.ts';
import { expFunction } from './exp.ts';
import { forEachPixel } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const softmaxForwardTwin: SimdTwin<SoftmaxForwardSpec> = {
  kind: 'softmaxForward',
  emit(spec) {
    checkSameImages('softmaxForward', { input: spec.input, output: spec.output });
    const b = twinFunction(softmaxForwardFamily, spec);
    const exp = expFunction();
    const at = b.local('i32', 'at');
    const x = b.local('f64', 'x');
    const max = b.local('f64', 'max');
    const sum = b.local('f64', 'sum');
    const buffers = [
      { origin: b.param('input'), view: spec.input },
      { origin: b.param('output'), view: spec.output },
    ];
    const end = spec.input.channels * 4;
    forEachPixel(b, buffers, b.param('count'), ([input, output]) => {
      const pushInput = () => b.get(input!).get(at).op('i32.add').memory('f32.load').op('f64.promote_f32');
      const pushPower = () => pushInput().get(max).op('f64.sub').call(exp);
      b.get(input!).memory('f32.load').op('f64.promote_f32').set(max);
      b.forRange(
        at,
        end,
        () => {
          pushInput().tee(x).get(max);
          b.get(x).get(max).op('f64.gt').select('f64').set(max);
        },
        { start: 4, step: 4 },
      );
      b.f64(0).set(sum);
      b.forRange(
        at,
        end,
        () => {
          b.get(sum);
          pushPower().op('f64.add').set(sum);
        },
        { step: 4 },
      );
      b.forRange(
        at,
        end,
        () => {
          b.get(output!).get(at).op('i32.add');
          pushPower().get(sum).op('f64.div').op('f32.demote_f64').memory('f32.store');
        },
        { step: 4 },
      );
    });
    return b;
  },
};
