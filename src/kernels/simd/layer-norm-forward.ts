/** The SIMD twin of ../layer-norm-forward.ts: sums of two channels a vector in f64, then four channels at a time. */
import { setSizes } from '../layer-norm.ts';
import { type LayerNormForwardSpec, layerNormForwardFamily } from '../layer-norm-forward.ts';
import { checkSameImages } from '../pixels.ts';
import {
  addPartial,
  besideParameters,
  besideSets,
  forEachEight,
  forEachSet,
  pushFold,
} from './layer-norm.ts';
import { forEachPiece, loadPiece, storePiece } from './rows.ts';
import { pushPair } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const layerNormForwardTwin: SimdTwin<LayerNormForwardSpec> = {
  kind: 'layerNormForward',
  emit(spec) {
    const { input, output, over, epsilon, scale, center } = spec;
    checkSameImages('layerNormForward', { input, output });
    const b = twinFunction(layerNormForwardFamily, spec);
    const { channels } = input;
    const length = setSizes(input, over).setPixels * channels;
    const images = [
      { origin: b.param('input'), view: input },
      { origin: b.param('output'), view: output },
    ];
    const names = [...(scale ? ['gamma'] : []), ...(center ? ['beta'] : [])];
    const others = [
      besideSets(b.param('statistics')),
      ...names.map((name) => besideParameters(b.param(name), input, over)),
    ];
    const partials = b.localArray('v128', 4, 'partial');
    const [mean, inverse, difference] = ['mean', 'inverse', 'difference'].map((name) =>
      b.local('v128', name),
    );
    const results = b.localArray('v128', 2, 'result');
    forEachSet(b, images, others, over, ({ images: [x, y], beside, forEachPixel }) => {
      const statistics = beside[0]!;
      const gamma = scale ? beside[1] : undefined;
      const beta = center ? beside.at(-1) : undefined;
      const sum = (pushTerm: () => void) => {
        for (const partial of partials) b.f64x2(0).set(partial);
        forEachPixel(() => {
          forEachEight(b, channels, [{ pointer: x!, bytes: 4 }], (pairs) => {
            for (const pair of pairs) {
              pushPair(b, x!, pair);
              pushTerm();
              addPartial(b, partials, pair);
            }
          });
        });
        pushFold(b, partials);
        b.f64(length).op('f64.div');
      };
      sum(() => {});
      b.op('f64x2.splat').set(mean!);
      b.get(statistics);
      b.get(mean!).lane('f64x2.extract_lane', 0).op('f32.demote_f64').memory('f32.store', 0);
      b.get(statistics).f64(1);
      sum(() => {
        b.get(mean!).op('f64x2.sub').set(difference!);
        b.get(difference!).get(difference!).op('f64x2.mul');
      });
      b.f64(epsilon).op('f64.add').op('f64.sqrt').op('f64.div').op('f32.demote_f64').memory('f32.store', 4);
      b.get(statistics).memory('v128.load32_splat', 0).set(mean!);
      b.get(statistics).memory('v128.load32_splat', 4).set(inverse!);
      const parameters = [gamma, beta].flatMap((pointer) => (pointer === undefined ? [] : [pointer]));
      forEachPixel(() => {
        forEachPiece(b, [x!, y!, ...parameters], channels, (pieces) => {
          pieces.forEach((piece, i) => {
            loadPiece(b, x!, piece);
            b.get(mean!).op('f32x4.sub').get(inverse!).op('f32x4.mul');
            if (gamma !== undefined) {
              loadPiece(b, gamma, piece);
              b.op('f32x4.mul');
            }
            if (beta !== undefined) {
              loadPiece(b, beta, piece);
              b.op('f32x4.add');
            }
            b.set(results[i]!);
          });
          pieces.forEach((piece, i) => {
            storePiece(b, y!, piece, results[i]!);
          });
        });
      });
    });
    return b;
  },
};
