/** The SIMD twin of ../layer-norm-backward.ts: sums of two channels a vector in f64, then four channels at a time. */
import { setSizes } from '../layer-norm.ts';
import { type LayerNormBackwardSpec, layerNormBackwardFamily } from '../layer-norm-backward.ts';
import { checkSameImages } from '../pixels.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import {
  addPartial,
  besideParameters,
  besideSets,
  forEachEight,
  forEachSet,
  type PartialPair,
  pushFold,
} from './layer-norm.ts';
import { clearElements, forEachPiece, loadPiece, storePiece } from './rows.ts';
import { pushPair, storePair } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const layerNormBackwardTwin: SimdTwin<LayerNormBackwardSpec> = {
  kind: 'layerNormBackward',
  emit(spec) {
    const { input, gradOutput, gradInput, over, scale, accumulate } = spec;
    checkSameImages('layerNormBackward', { input, gradOutput, gradInput });
    const b = twinFunction(layerNormBackwardFamily, spec);
    const { channels } = input;
    const { setPixels, parameters } = setSizes(input, over);
    const images = [
      { origin: b.param('input'), view: input },
      { origin: b.param('gradOutput'), view: gradOutput },
      { origin: b.param('gradInput'), view: gradInput },
    ];
    const others = [
      besideSets(b.param('statistics')),
      besideParameters(b.param('sums'), input, over, 8),
      ...(scale ? [besideParameters(b.param('gamma'), input, over)] : []),
    ];
    const [gradients, products] = ['gradient', 'product'].map((name) => b.localArray('v128', 4, name));
    const [mean, inverse, v, g, h, m, k] = ['mean', 'inverse', 'v', 'g', 'h', 'm', 'k'].map((name) =>
      b.local('v128', name),
    );
    const results = b.localArray('v128', 2, 'result');
    clearElements(b, b.param('sums'), 4 * parameters);
    forEachSet(b, images, others, over, ({ images: [x, dy, dx], beside, forEachPixel }) => {
      const [statistics, sums, gamma] = beside;
      b.get(statistics!).memory('v128.load32_splat', 0).set(mean!);
      b.get(statistics!).memory('v128.load32_splat', 4).set(inverse!);
      for (const partial of [...gradients!, ...products!]) b.f64x2(0).set(partial);
      const walked = [x!, dy!, ...(scale ? [gamma!] : [])].map((pointer) => ({ pointer, bytes: 4 }));
      forEachPixel(() => {
        forEachEight(b, channels, [...walked, { pointer: sums!, bytes: 8 }], (pairs) => {
          for (const pair of pairs) {
            const load = pair.lanes === 2 ? 'v128.load64_zero' : 'v128.load32_zero';
            b.get(x!).memory(load, 4 * pair.channel);
            b.get(mean!).op('f32x4.sub').get(inverse!).op('f32x4.mul').op('f64x2.promote_low_f32x4').set(v!);
            pushPair(b, dy!, pair).set(g!);
            if (scale) pushPair(b, gamma!, pair).get(g!).op('f64x2.mul').set(h!);
            else b.get(g!).set(h!);
            b.get(h!);
            addPartial(b, gradients!, pair);
            b.get(h!).get(v!).op('f64x2.mul');
            addPartial(b, products!, pair);
            b.get(g!).get(v!).op('f64x2.mul').set(h!);
            addToMemory(b, sums!, pair, h!, 0);
            addToMemory(b, sums!, pair, g!, parameters);
          }
        });
      });
      for (const [partials, target] of [
        [gradients!, m!],
        [products!, k!],
      ] as const) {
        pushFold(b, partials);
        b.f64(setPixels * channels)
          .op('f64.div')
          .op('f32.demote_f64')
          .op('f32x4.splat')
          .set(target);
      }
      forEachPixel(() => {
        forEachPiece(b, [x!, dy!, dx!, ...(scale ? [gamma!] : [])], channels, (pieces) => {
          pieces.forEach((piece, i) => {
            if (accumulate) loadPiece(b, dx!, piece);
            b.get(inverse!);
            loadPiece(b, dy!, piece);
            if (scale) {
              loadPiece(b, gamma!, piece);
              b.op('f32x4.mul');
            }
            b.get(m!).op('f32x4.sub');
            loadPiece(b, x!, piece);
            b.get(mean!).op('f32x4.sub').get(inverse!).op('f32x4.mul').get(k!).op('f32x4.mul');
            b.op('f32x4.sub').op('f32x4.mul');
            if (accumulate) b.op('f32x4.add');
            b.set(results[i]!);
          });
          pieces.forEach((piece, i) => {
            storePiece(b, dx!, piece, results[i]!);
          });
        });
      });
    });
    if (spec.gradScale) writeSums(b, spec, b.param('gradGamma'), 0);
    if (spec.gradCenter) writeSums(b, spec, b.param('gradBeta'), parameters);
    return b;
  },
};

/** Adds a pair of f64 to memory, `plane` elements behind the pointer's. */
function addToMemory(
  b: FunctionBuilder,
  pointer: Local,
  pair: PartialPair,
  value: Local,
  plane: number,
): void {
  b.get(pointer).memory(pair.lanes === 2 ? 'v128.load' : 'v128.load64_zero', 8 * (plane + pair.channel));
  b.get(value).op('f64x2.add').set(value);
  storePair(b, pointer, pair, value, plane);
}

/** A parameter's gradient from its sums, `plane` elements behind the first. */
function writeSums(b: FunctionBuilder, spec: LayerNormBackwardSpec, gradient: Local, plane: number): void {
  const { parameters } = setSizes(spec.input, spec.over);
  const [from, to] = [b.local('i32', 'from'), b.local('i32', 'to')];
  b.get(b.param('sums'))
    .i32(8 * plane)
    .op('i32.add')
    .set(from)
    .get(gradient)
    .set(to);
  b.forRange(
    b.local('i32', 'parameter'),
    parameters,
    () => {
      b.get(to);
      if (spec.accumulateParameters) b.get(to).memory('f32.load', 0);
      b.get(from).memory('f64.load', 0).op('f32.demote_f64');
      if (spec.accumulateParameters) b.op('f32.add');
      b.memory('f32.store', 0);
      b.advance(from, 8).advance(to, 4);
    },
    { test: 'last' },
  );
}
