/** The SIMD twin of ../average-pool-forward.ts: neighbouring channels in lanes, one window after the other. */
import {
  type AveragePoolForwardSpec,
  averagePoolForwardFamily,
  checkAveragePoolForward,
} from '../average-pool-forward.ts';
import { pushTap } from './pool-taps.ts';
import { forEachWindow } from './pool-windows.ts';
import { storePiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const averagePoolForwardTwin: SimdTwin<AveragePoolForwardSpec> = {
  kind: 'averagePoolForward',
  emit(spec) {
    checkAveragePoolForward(spec);
    const { window, countPadding } = spec;
    const b = twinFunction(averagePoolForwardFamily, spec);
    const inputs = [{ origin: b.param('input'), view: spec.input }];
    const outputs = [{ origin: b.param('output'), view: spec.output }];
    const sums = b.localArray('v128', 2, 'sum');
    forEachWindow(b, window, inputs, outputs, b.param('count'), (site) => {
      site.forEachPiece((pieces) => {
        pieces.forEach((_, i) => {
          b.f32x4(0).set(sums[i]!);
        });
        site.forEachTap((tap) => {
          pieces.forEach((piece, i) => {
            b.get(sums[i]!);
            pushTap(b, tap, 0, piece);
            b.op('f32x4.add').set(sums[i]!);
          });
        });
        pieces.forEach((_, i) => {
          b.get(sums[i]!);
          if (countPadding) b.f32x4(window.height * window.width);
          else site.pushTapCount();
          b.op('f32x4.div').set(sums[i]!);
        });
        pieces.forEach((piece, i) => {
          storePiece(b, site.outputs[0]!, piece, sums[i]!);
        });
      });
    });
    return b;
  },
};
