/** The SIMD twin of ../softmax-backward.ts, in scalar f64 WebAssembly: one channel after the other. */
import { checkSameImages } from '../pixels.ts';
import { type SoftmaxBackwardSpec, softmaxBackwardFamily } from '../softmax-backward.ts';
import { forEachPixel } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const softmaxBackwardTwin: SimdTwin<SoftmaxBackwardSpec> = {
  kind: 'softmaxBackward',
  emit(spec) {
    const { output, gradOutput, gradInput, accumulate } = spec;
    checkSameImages('softmaxBackward', { output, gradOutput, gradInput });
    const b = twinFunction(softmaxBackwardFamily, spec);
    const at = b.local('i32', 'at');
    const sum = b.local('f64', 'sum');
    const buffers = [
      { origin: b.param('output'), view: output },
      { origin: b.param('gradOutput'), view: gradOutput },
      { origin: b.param('gradInput'), view: gradInput },
    ];
    const end = output.channels * 4;
    forEachPixel(b, buffers, b.param('count'), (pointers) => {
      const pushAddress = (buffer: number) => b.get(pointers[buffer]!).get(at).op('i32.add');
      const pushDouble = (buffer: number) => pushAddress(buffer).memory('f32.load').op('f64.promote_f32');
      b.f64(0).set(sum);
      b.forRange(
        at,
        end,
        () => {
          b.get(sum);
          pushDouble(1);
          pushDouble(0).op('f64.mul').op('f64.add').set(sum);
        },
        { step: 4 },
      );
      b.forRange(
        at,
        end,
        () => {
          pushAddress(2);
          if (accumulate) pushAddress(2).memory('f32.load');
          pushDouble(0);
          pushDouble(1).get(sum).op('f64.sub').op('f64.mul').op('f32.demote_f64');
          if (accumulate) b.op('f32.add');
          b.memory('f32.store');
        },
        { step: 4 },
      );
    });
    return b;
  },
};
