/**
 * The SIMD twin of ../dropout-forward.ts: first the masks, sixteen elements at a time (four Philox blocks,
 * one a lane), then the products.
 */
import {
  checkDropoutForward,
  type DropoutForwardSpec,
  dropoutForwardFamily,
  dropoutThreshold,
  keptScale,
  type MaskSize,
} from '../dropout-forward.ts';
import { elementsPerImage } from '../pixels.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { philoxRounds, philoxState } from './philox.ts';
import { mapElements, packedView } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const dropoutForwardTwin: SimdTwin<DropoutForwardSpec> = {
  kind: 'dropoutForward',
  emit(spec) {
    checkDropoutForward(spec);
    const b = twinFunction(dropoutForwardFamily, spec);
    drawMasks(b, { rate: spec.rate, length: elementsPerImage(spec.input) });
    const inputs = [
      { origin: b.param('input'), view: spec.input },
      { origin: b.param('mask'), view: packedView(spec.input) },
    ];
    const output = { origin: b.param('output'), view: spec.output };
    mapElements(b, inputs, output, b.param('count'), false, ([pushInput, pushMask]) => {
      pushInput!();
      pushMask!();
      b.op('f32x4.mul');
    });
    return b;
  },
};

/** Writes the masks of all samples, one behind the other: arguments mask, key0, key1, step, firstSample, count. */
export function drawMasks(b: FunctionBuilder, { rate, length }: MaskSize): void {
  const mask = b.local('i32', 'maskAt');
  const sample = b.local('i32', 'sample');
  const group = b.local('i32', 'group');
  const blocks = b.local('v128', 'blocks');
  const scaled = b.localArray('v128', 4, 'scaled');
  const state = philoxState(b);
  const emitRounds = philoxRounds(b, state);
  const [c0, c1, c2, c3] = state.words;
  const threshold = dropoutThreshold(rate) | 0;
  const drawGroup = (elements: number) => {
    b.get(blocks).set(c0);
    b.get(sample).op('i32x4.splat').set(c1);
    b.get(b.param('step')).memory('v128.load32_splat', 0).set(c2);
    b.get(b.param('step')).memory('v128.load32_splat', 4).set(c3);
    emitRounds();
    state.words.forEach((word, i) => {
      b.get(word).i32x4([threshold, threshold, threshold, threshold]).op('i32x4.ge_u');
      b.f32x4(keptScale(rate)).op('v128.and').set(scaled[i]!);
    });
    for (let e = 0; e < elements; e += 4) {
      b.get(mask).get(scaled[e / 4]!);
      if (e + 4 <= elements) b.memory('v128.store', e * 4);
      else storeLanes(e, elements - e);
    }
    b.advance(mask, elements * 4);
    b.get(blocks).i32x4([4, 4, 4, 4]).op('i32x4.add').set(blocks);
  };
  /** Stores the lanes of a last, partial vector; its address and value are on the stack. */
  const storeLanes = (e: number, lanes: number) => {
    b.memoryLane('v128.store32_lane', 0, e * 4);
    for (let lane = 1; lane < lanes; lane++) {
      b.get(mask)
        .get(scaled[Math.floor(e / 4)]!)
        .memoryLane('v128.store32_lane', lane, (e + lane) * 4);
    }
  };
  b.get(b.param('mask')).set(mask).get(b.param('firstSample')).set(sample);
  b.get(b.param('key0')).op('i32x4.splat').set(state.key[0]);
  b.get(b.param('key1')).op('i32x4.splat').set(state.key[1]);
  b.forRange(b.local('i32', 'n'), b.param('count'), () => {
    b.i32x4([0, 1, 2, 3]).set(blocks);
    if (length >= 16) b.forRange(group, Math.floor(length / 16), () => drawGroup(16), { test: 'last' });
    if (length % 16 !== 0) drawGroup(length % 16);
    b.advance(sample, 1);
  });
}
