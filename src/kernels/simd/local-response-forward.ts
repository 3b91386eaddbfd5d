/** The SIMD twin of ../local-response-forward.ts: two channels of a pixel at a time, in f64. */
import { checkLocalResponse } from '../local-response.ts';
import { type LocalResponseForwardSpec, localResponseForwardFamily } from '../local-response-forward.ts';
import { checkSameImages } from '../pixels.ts';
import {
  forEachPair,
  hasRootPower,
  pushBase,
  pushInversePower,
  pushSumAround,
  storeFloats,
  storeSquares,
} from './local-response.ts';
import { clearElements, forEachPixel } from './rows.ts';
import { pushPair } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const localResponseForwardTwin: SimdTwin<LocalResponseForwardSpec> = {
  kind: 'localResponseForward',
  emit(spec) {
    const { input, output, depthRadius } = spec;
    checkLocalResponse('localResponseForward', spec);
    checkSameImages('localResponseForward', { input, output });
    if (!hasRootPower(spec)) return undefined;
    const b = twinFunction(localResponseForwardFamily, spec);
    const { channels } = input;
    const squares = b.param('squares');
    const [value, base] = ['value', 'base'].map((name) => b.local('v128', name));
    const images = [
      { origin: b.param('input'), view: input },
      { origin: b.param('output'), view: output },
    ];
    clearElements(b, squares, 2 * (channels + 2 * depthRadius));
    forEachPixel(b, images, b.param('count'), ([x, y]) => {
      const [from, to, sums] = [
        { pointer: x!, bytes: 4 },
        { pointer: y!, bytes: 4 },
        { pointer: squares, bytes: 8 },
      ] as const;
      forEachPair(b, channels, [from, sums], (pair) =>
        storeSquares(b, x!, squares, pair, depthRadius, value!),
      );
      forEachPair(b, channels, [from, to, sums], (pair) => {
        pushSumAround(b, squares, pair, depthRadius);
        pushBase(b, spec);
        b.set(base!);
        pushPair(b, x!, pair);
        pushInversePower(b, base!, spec);
        b.op('f64x2.mul').op('f32x4.demote_f64x2_zero').set(value!);
        storeFloats(b, y!, pair, value!);
      });
    });
    return b;
  },
};
