/** The SIMD twin of ../lp-pool-backward.ts: neighbouring channels in lanes, one window after the other. */
import { type LpPoolBackwardSpec, lpPoolBackwardFamily } from '../lp-pool-backward.ts';
import { checkNorm } from '../lp-pool-forward.ts';
import { checkPoolViews } from '../pool-windows.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { halvesLocals, halvesOf, hasExactPower, normsEmitter, pushNarrow, pushWide } from './lp-pool.ts';
import { pushTap, storeTap, type WindowSite } from './pool-taps.ts';
import { forEachWindow } from './pool-windows.ts';
import { clearImages, loadPiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const lpPoolBackwardTwin: SimdTwin<LpPoolBackwardSpec> = {
  kind: 'lpPoolBackward',
  emit(spec) {
    const { input, gradOutput, gradInput, window, p, accumulate } = spec;
    checkPoolViews('lpPoolBackward', window, { input, gradInput }, { gradOutput });
    checkNorm('lpPoolBackward', p);
    if (!hasExactPower(spec)) return undefined;
    const b = twinFunction(lpPoolBackwardFamily, spec);
    const gradient = { origin: b.param('gradInput'), view: gradInput };
    const count = b.param('count');
    if (!accumulate) clearImages(b, gradient, count);
    const inputs = [{ origin: b.param('input'), view: input }, gradient];
    const outputs = [{ origin: b.param('gradOutput'), view: gradOutput }];
    forEachWindow(b, window, inputs, outputs, count, p === 1 ? magnitudes(b) : squares(b));
    return b;
  },
};

/** p = 1: the gradient with the sign of x, which needs no norm. */
function magnitudes(b: FunctionBuilder) {
  const [x, before, gradient] = ['x', 'before', 'gradient'].map((name) => b.localArray('v128', 2, name));
  return (site: WindowSite): void =>
    site.forEachPiece((pieces) => {
      pieces.forEach((piece, i) => {
        loadPiece(b, site.outputs[0]!, piece);
        b.set(gradient![i]!);
      });
      site.forEachTap((tap) => {
        pieces.forEach((piece, i) => {
          pushTap(b, tap, 0, piece);
          b.set(x![i]!);
          pushTap(b, tap, 1, piece);
          b.tee(before![i]!).get(gradient![i]!);
          b.get(x![i]!).f32x4(0).op('f32x4.lt').f32x4(-0).op('v128.and').op('v128.xor').op('f32x4.add');
          b.get(before![i]!).get(x![i]!).f32x4(0).op('f32x4.ne').op('v128.bitselect').set(before![i]!);
        });
        pieces.forEach((piece, i) => {
          storeTap(b, tap, 1, piece, before![i]!);
        });
      });
    });
}

/** p = 2: gradient / sqrt(sum), times x over the largest. */
function squares(b: FunctionBuilder) {
  const { norms, emit } = normsEmitter(b, 2, 2);
  const [x, before] = ['x', 'before'].map((name) => b.localArray('v128', 2, name));
  const scales = halvesLocals(b, 2, 'scale');
  const gradient = b.local('v128', 'gradient');
  return (site: WindowSite): void =>
    site.forEachPiece((pieces) => {
      emit(site, pieces);
      pieces.forEach((piece, i) => {
        loadPiece(b, site.outputs[0]!, piece);
        b.set(gradient);
        for (const half of halvesOf(piece)) {
          pushWide(b, gradient, half);
          b.f64x2(1).get(norms.sums[i]![half]).op('f64x2.sqrt').op('f64x2.div').op('f64x2.mul');
          b.set(scales[i]![half]);
        }
      });
      site.forEachTap((tap) => {
        pieces.forEach((piece, i) => {
          pushTap(b, tap, 0, piece);
          b.set(x![i]!);
          pushTap(b, tap, 1, piece);
          b.tee(before![i]!);
          pushNarrow(b, piece, (half) => {
            b.get(scales[i]![half]);
            pushWide(b, x![i]!, half);
            b.get(norms.wide[i]![half]).op('f64x2.div').op('f64x2.mul');
          });
          b.op('f32x4.add');
          b.get(before![i]!).get(x![i]!).f32x4(0).op('f32x4.ne').op('v128.bitselect').set(before![i]!);
        });
        pieces.forEach((piece, i) => {
          storeTap(b, tap, 1, piece, before![i]!);
        });
      });
    });
}
