/** The SIMD twin of ../average-pool-backward.ts: neighbouring channels in lanes, one window after the other. */
import { windowsCover, windowsOverlap } from '../../tensor/pooling.ts';
import {
  type AveragePoolBackwardSpec,
  averagePoolBackwardFamily,
  checkAveragePoolBackward,
} from '../average-pool-backward.ts';
import { pushTap, storeTap } from './pool-taps.ts';
import { forEachWindow } from './pool-windows.ts';
import { clearImages, loadPiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const averagePoolBackwardTwin: SimdTwin<AveragePoolBackwardSpec> = {
  kind: 'averagePoolBackward',
  emit(spec) {
    checkAveragePoolBackward(spec);
    const { window, gradInput, countPadding, accumulate } = spec;
    const b = twinFunction(averagePoolBackwardFamily, spec);
    const gradient = { origin: b.param('gradInput'), view: gradInput };
    const outputs = [{ origin: b.param('gradOutput'), view: spec.gradOutput }];
    const overlap = windowsOverlap(window);
    const count = b.param('count');
    if (!accumulate && (overlap || !windowsCover(window, gradInput.height, gradInput.width))) {
      clearImages(b, gradient, count);
    }
    const shares = b.localArray('v128', 2, 'share');
    const sums = b.localArray('v128', 2, 'sum');
    forEachWindow(b, window, [gradient], outputs, count, (site) => {
      site.forEachPiece((pieces) => {
        pieces.forEach((piece, i) => {
          loadPiece(b, site.outputs[0]!, piece);
          if (countPadding) b.f32x4(window.height * window.width);
          else site.pushTapCount();
          b.op('f32x4.div').set(shares[i]!);
        });
        site.forEachTap((tap) => {
          pieces.forEach((piece, i) => {
            if (accumulate || overlap) pushTap(b, tap, 0, piece);
            else b.f32x4(0);
            b.get(shares[i]!).op('f32x4.add').set(sums[i]!);
          });
          pieces.forEach((piece, i) => {
            storeTap(b, tap, 0, piece, sums[i]!);
          });
        });
      });
    });
    return b;
  },
};
