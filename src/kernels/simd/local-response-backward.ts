/** The SIMD twin of ../local-response-backward.ts: two channels of a pixel at a time, in f64. */
import { checkLocalResponse } from '../local-response.ts';
import { type LocalResponseBackwardSpec, localResponseBackwardFamily } from '../local-response-backward.ts';
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
import { pushPair, storePair } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const localResponseBackwardTwin: SimdTwin<LocalResponseBackwardSpec> = {
  kind: 'localResponseBackward',
  emit(spec) {
    const { input, gradOutput, gradInput, depthRadius, alpha, beta, accumulate } = spec;
    checkLocalResponse('localResponseBackward', spec);
    checkSameImages('localResponseBackward', { input, gradOutput, gradInput });
    if (!hasRootPower(spec)) return undefined;
    const b = twinFunction(localResponseBackwardFamily, spec);
    const { channels } = input;
    const padded = channels + 2 * depthRadius;
    const squares = b.param('scratch');
    const [powers, ratios] = ['powers', 'ratios'].map((name) => b.local('i32', name));
    b.get(squares)
      .i32(8 * padded)
      .op('i32.add')
      .set(powers!);
    b.get(squares)
      .i32(16 * padded)
      .op('i32.add')
      .set(ratios!);
    const [value, base, power] = ['value', 'base', 'power'].map((name) => b.local('v128', name));
    const images = [
      { origin: b.param('input'), view: input },
      { origin: b.param('gradOutput'), view: gradOutput },
      { origin: b.param('gradInput'), view: gradInput },
    ];
    clearElements(b, squares, 6 * padded);
    forEachPixel(b, images, b.param('count'), ([x, g, to]) => {
      const [input32, gradient32, target32] = [x!, g!, to!].map(
        (pointer) => ({ pointer, bytes: 4 }) as const,
      );
      const [squares64, powers64, ratios64] = [squares, powers!, ratios!].map(
        (pointer) => ({ pointer, bytes: 8 }) as const,
      );
      forEachPair(b, channels, [input32!, squares64!], (pair) =>
        storeSquares(b, x!, squares, pair, depthRadius, value!),
      );
      forEachPair(b, channels, [input32!, gradient32!, squares64!, powers64!, ratios64!], (pair) => {
        pushSumAround(b, squares, pair, depthRadius);
        pushBase(b, spec);
        b.set(base!);
        pushInversePower(b, base!, spec);
        b.set(power!);
        storePair(b, powers!, pair, power!, depthRadius);
        pushPair(b, g!, pair);
        pushPair(b, x!, pair).op('f64x2.mul').get(power!).op('f64x2.mul').get(base!).op('f64x2.div');
        b.set(value!);
        storePair(b, ratios!, pair, value!, depthRadius);
      });
      forEachPair(b, channels, [input32!, gradient32!, target32!, powers64!, ratios64!], (pair) => {
        if (accumulate) b.get(to!).memory(pair.lanes === 2 ? 'v128.load64_zero' : 'v128.load32_zero', 0);
        pushPair(b, g!, pair);
        b.get(powers!).memory(pair.lanes === 2 ? 'v128.load' : 'v128.load64_zero', 8 * depthRadius);
        b.op('f64x2.mul');
        b.f64x2(2 * alpha * beta);
        pushSumAround(b, ratios!, pair, depthRadius);
        b.op('f64x2.mul');
        pushPair(b, x!, pair).op('f64x2.mul').op('f64x2.sub').op('f32x4.demote_f64x2_zero');
        if (accumulate) b.op('f32x4.add');
        b.set(value!);
        storeFloats(b, to!, pair, value!);
      });
    });
    return b;
  },
};
