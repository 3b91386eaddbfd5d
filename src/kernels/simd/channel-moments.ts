/** The SIMD twin of ../channel-moments.ts: pairs of channels in f64, whose sums stay in registers over an image. */
import { type ChannelMomentsSpec, channelMomentsFamily } from '../channel-moments.ts';
import { forEachImage, startPointers } from './rows.ts';
import { pushPair, storePair, sumOverPixels } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const channelMomentsTwin: SimdTwin<ChannelMomentsSpec> = {
  kind: 'channelMoments',
  emit({ input }) {
    const b = twinFunction(channelMomentsFamily, { kind: 'channelMoments', input });
    const { channels, height, width } = input;
    const images = [{ origin: b.param('input'), view: input }];
    const [first, sums, squares] = ['first', 'sum', 'square'].map((name) => b.localArray('v128', 4, name));
    const distance = b.local('v128', 'distance');
    const moments = b.param('moments');
    const pointers = startPointers(b, images);
    forEachImage(b, images, pointers, b.param('count'), () => {
      sumOverPixels(b, [input], pointers, [{ pointer: moments, bytes: 8 }], {
        start(pairs, [at]) {
          pairs.forEach((pair, i) => {
            pushPair(b, at!, pair).set(first![i]!);
            b.f64x2(0).set(sums![i]!).f64x2(0).set(squares![i]!);
          });
        },
        add(pairs, [at]) {
          pairs.forEach((pair, i) => {
            pushPair(b, at!, pair).get(first![i]!).op('f64x2.sub').set(distance);
            b.get(sums![i]!).get(distance).op('f64x2.add').set(sums![i]!);
            b.get(squares![i]!).get(distance).get(distance).op('f64x2.mul');
            b.op('f64x2.add').set(squares![i]!);
          });
        },
        end(pairs, _images, [to]) {
          pairs.forEach((pair, i) => {
            const [sum, square] = [sums![i]!, squares![i]!];
            b.get(square)
              .get(sum)
              .get(sum)
              .op('f64x2.mul')
              .f64x2(height * width)
              .op('f64x2.div');
            b.op('f64x2.sub').f64x2(0).op('f64x2.pmax').set(square);
            b.get(first![i]!)
              .get(sum)
              .f64x2(height * width)
              .op('f64x2.div')
              .op('f64x2.add')
              .set(sum);
            storePair(b, to!, pair, sum, 0);
            storePair(b, to!, pair, square, channels);
          });
        },
      });
      b.advance(moments, 16 * channels);
    });
    return b;
  },
};
