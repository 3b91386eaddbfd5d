/** The SIMD twin of ../batch-norm-sums.ts: pairs of channels in f64, whose sums stay in registers over an image. */
import { PLANES } from '../batch-norm.ts';
import { type BatchNormSumsSpec, batchNormSumsFamily } from '../batch-norm-sums.ts';
import { checkSameImages } from '../pixels.ts';
import { forEachGroupedImage, pushPair, storePair, sumOverPixels } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const batchNormSumsTwin: SimdTwin<BatchNormSumsSpec> = {
  kind: 'batchNormSums',
  emit(spec) {
    const { input, gradOutput } = spec;
    checkSameImages('batchNormSums', { input, gradOutput });
    const b = twinFunction(batchNormSumsFamily, spec);
    const { channels } = input;
    const images = [
      { origin: b.param('input'), view: input },
      { origin: b.param('gradOutput'), view: gradOutput },
    ];
    const statistics = { origin: b.param('statistics'), bytes: 4 * PLANES * channels };
    const sums = b.param('sums');
    const [means, gradients, products] = ['mean', 'gradient', 'product'].map((name) =>
      b.localArray('v128', 4, name),
    );
    const gradient = b.local('v128', 'g');
    forEachGroupedImage(b, spec, images, [statistics], (pointers, [mean]) => {
      const others = [
        { pointer: sums, bytes: 8 },
        { pointer: mean!, bytes: 4 },
      ];
      sumOverPixels(b, [input, gradOutput], pointers, others, {
        start(pairs, _images, [, from]) {
          pairs.forEach((pair, i) => {
            pushPair(b, from!, pair).set(means![i]!);
            b.f64x2(0).set(gradients![i]!).f64x2(0).set(products![i]!);
          });
        },
        add(pairs, [x, g]) {
          pairs.forEach((pair, i) => {
            pushPair(b, g!, pair).set(gradient);
            b.get(gradients![i]!).get(gradient).op('f64x2.add').set(gradients![i]!);
            b.get(products![i]!).get(gradient);
            pushPair(b, x!, pair).get(means![i]!).op('f64x2.sub');
            b.op('f64x2.mul').op('f64x2.add').set(products![i]!);
          });
        },
        end(pairs, _images, [to]) {
          pairs.forEach((pair, i) => {
            storePair(b, to!, pair, gradients![i]!, 0);
            storePair(b, to!, pair, products![i]!, channels);
          });
        },
      });
      b.advance(sums, 16 * channels);
    });
    return b;
  },
};
