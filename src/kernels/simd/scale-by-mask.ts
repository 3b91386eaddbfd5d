/** The SIMD twin of ../scale-by-mask.ts: four elements at a time; a sample's own number waits in all lanes. */
import { checkSameImages } from '../pixels.ts';
import { type ScaleByMaskSpec, scaleByMaskFamily } from '../scale-by-mask.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { broadcastView, mapElements, startPointers } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const scaleByMaskTwin: SimdTwin<ScaleByMaskSpec> = {
  kind: 'scaleByMask',
  emit(spec) {
    checkSameImages('scaleByMask', { input: spec.input, output: spec.output });
    const b = twinFunction(scaleByMaskFamily, spec);
    if (spec.per === 'channel') scaleChannels(b, spec);
    else scaleSamples(b, spec);
    return b;
  },
};

function scaleChannels(b: FunctionBuilder, { input, output, accumulate }: ScaleByMaskSpec): void {
  const inputs = [
    { origin: b.param('input'), view: input },
    { origin: b.param('mask'), view: { ...broadcastView(input), imageStride: input.channels } },
  ];
  const target = { origin: b.param('output'), view: output };
  mapElements(b, inputs, target, b.param('count'), accumulate, ([pushInput, pushMask]) => {
    pushInput!();
    pushMask!();
    b.op('f32x4.mul');
  });
}

function scaleSamples(b: FunctionBuilder, { input, output, accumulate }: ScaleByMaskSpec): void {
  const buffers = [
    { origin: b.param('input'), view: input },
    { origin: b.param('mask'), view: { ...broadcastView(input), imageStride: 1 } },
    { origin: b.param('output'), view: output },
  ];
  const pointers = startPointers(b, buffers);
  const [from, mask, to] = pointers;
  const factor = b.local('v128', 'factor');
  const one = b.local('i32', 'one');
  b.i32(1).set(one);
  b.forRange(b.local('i32', 'sample'), b.param('count'), () => {
    b.get(mask!).memory('v128.load32_splat', 0).set(factor);
    const source = { origin: from!, view: input };
    mapElements(b, [source], { origin: to!, view: output }, one, accumulate, ([pushInput]) => {
      pushInput!();
      b.get(factor).op('f32x4.mul');
    });
    pointers.forEach((pointer, i) => {
      b.advance(pointer, buffers[i]!.view.imageStride * 4);
    });
  });
}
