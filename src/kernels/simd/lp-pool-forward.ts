/** The SIMD twin of ../lp-pool-forward.ts: neighbouring channels in lanes, one window after the other. */
import { checkNorm, type LpPoolForwardSpec, lpPoolForwardFamily } from '../lp-pool-forward.ts';
import { checkPoolViews } from '../pool-windows.ts';
import { hasExactPower, normsEmitter, pushNarrow } from './lp-pool.ts';
import { forEachWindow } from './pool-windows.ts';
import { storePiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const lpPoolForwardTwin: SimdTwin<LpPoolForwardSpec> = {
  kind: 'lpPoolForward',
  emit(spec) {
    const { input, output, window, p } = spec;
    checkPoolViews('lpPoolForward', window, { input }, { output });
    checkNorm('lpPoolForward', p);
    if (!hasExactPower(spec)) return undefined;
    const b = twinFunction(lpPoolForwardFamily, spec);
    const { norms, emit } = normsEmitter(b, p, 2);
    const results = b.localArray('v128', 2, 'result');
    const inputs = [{ origin: b.param('input'), view: input }];
    const outputs = [{ origin: b.param('output'), view: output }];
    forEachWindow(b, window, inputs, outputs, b.param('count'), (site) => {
      site.forEachPiece((pieces) => {
        emit(site, pieces);
        pieces.forEach((piece, i) => {
          pushNarrow(b, piece, (half) => {
            b.get(norms.wide[i]![half]).get(norms.sums[i]![half]);
            if (p === 2) b.op('f64x2.sqrt');
            b.op('f64x2.mul');
          });
          // +0 where the largest is 0, whose shares are NaN.
          b.get(norms.largest[i]!).f32x4(0).op('f32x4.ne').op('v128.and').set(results[i]!);
        });
        pieces.forEach((piece, i) => {
          storePiece(b, site.outputs[0]!, piece, results[i]!);
        });
      });
    });
    return b;
  },
};
