/**
 * The SIMD twin of ../max-pool-backward.ts: neighbouring channels in lanes, one window after the other. A tap
 * takes the gradient in the lanes where it equals the maximum (or is NaN) and no earlier tap did.
 */
import { windowsCover, windowsOverlap } from '../../tensor/pooling.ts';
import {
  checkMaxPoolBackward,
  type MaxPoolBackwardSpec,
  maxPoolBackwardFamily,
} from '../max-pool-backward.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { maximaEmitter } from './max-pool-forward.ts';
import { pushTap, storeTap, type WindowSite } from './pool-taps.ts';
import { forEachWindow } from './pool-windows.ts';
import { clearImages, loadPiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const maxPoolBackwardTwin: SimdTwin<MaxPoolBackwardSpec> = {
  kind: 'maxPoolBackward',
  emit(spec) {
    checkMaxPoolBackward(spec);
    const { window, input, gradInput, accumulate, gated = false } = spec;
    const b = twinFunction(maxPoolBackwardFamily, spec);
    const gradient = { origin: b.param('gradInput'), view: gradInput };
    const outputs = [{ origin: b.param('gradOutput'), view: spec.gradOutput }];
    const overlap = windowsOverlap(window);
    const count = b.param('count');
    if (!accumulate && (overlap || !windowsCover(window, input.height, input.width))) {
      clearImages(b, gradient, count);
    }
    const emitSite = siteEmitter(b, { accumulate, gated, add: accumulate || overlap });
    forEachWindow(b, window, [{ origin: b.param('input'), view: input }, gradient], outputs, count, emitSite);
    return b;
  },
};

/** `add`: whether taps are added to; otherwise each is written once, +0 where it is not the maximum. */
function siteEmitter(
  b: FunctionBuilder,
  {
    accumulate,
    gated,
    add,
  }: { readonly accumulate: boolean; readonly gated: boolean; readonly add: boolean },
) {
  const [maxima, gradients, free, shares] = ['max', 'gradient', 'free', 'share'].map((name) =>
    b.localArray('v128', 2, name),
  ) as [Local[], Local[], Local[], Local[]];
  const [value, hit] = b.localArray('v128', 2, 'value') as [Local, Local];
  const emitMaxima = maximaEmitter(b, maxima);
  return (site: WindowSite): void => {
    site.forEachPiece((pieces) => {
      emitMaxima(site, pieces);
      pieces.forEach((piece, i) => {
        loadPiece(b, site.outputs[0]!, piece);
        if (gated) b.get(maxima[i]!).f32x4(0).op('f32x4.gt').op('v128.and');
        b.set(gradients[i]!).i32x4([-1, -1, -1, -1]).set(free[i]!);
      });
      site.forEachTap((tap) => {
        pieces.forEach((piece, i) => {
          pushTap(b, tap, 0, piece);
          b.tee(value).get(maxima[i]!).op('f32x4.eq').get(value).get(value).op('f32x4.ne').op('v128.or');
          b.get(free[i]!).op('v128.and').set(hit);
          b.get(free[i]!).get(hit).op('v128.andnot').set(free[i]!);
          if (add) pushTap(b, tap, 1, piece);
          // What is held already may be -0, which only -0 leaves as it is.
          if (accumulate) b.get(gradients[i]!).f32x4(-0).get(hit).op('v128.bitselect');
          else b.get(gradients[i]!).get(hit).op('v128.and');
          if (!add) b.f32x4(0);
          b.op('f32x4.add').set(shares[i]!);
        });
        pieces.forEach((piece, i) => {
          storeTap(b, tap, 1, piece, shares[i]!);
        });
      });
    });
  };
}
