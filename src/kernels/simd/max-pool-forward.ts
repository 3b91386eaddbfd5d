/** The SIMD twin of ../max-pool-forward.ts: neighbouring channels in lanes, one window after the other. */
import { checkMaxPoolForward, type MaxPoolForwardSpec, maxPoolForwardFamily } from '../max-pool-forward.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { pushTap, type WindowSite } from './pool-taps.ts';
import { forEachWindow } from './pool-windows.ts';
import { type Piece, storePiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const maxPoolForwardTwin: SimdTwin<MaxPoolForwardSpec> = {
  kind: 'maxPoolForward',
  emit(spec) {
    checkMaxPoolForward(spec);
    const b = twinFunction(maxPoolForwardFamily, spec);
    const inputs = [{ origin: b.param('input'), view: spec.input }];
    const outputs = [{ origin: b.param('output'), view: spec.output }];
    const maxima = b.localArray('v128', 2, 'max');
    const emitMaxima = maximaEmitter(b, maxima);
    forEachWindow(b, spec.window, inputs, outputs, b.param('count'), (site) => {
      site.forEachPiece((pieces) => {
        emitMaxima(site, pieces);
        pieces.forEach((piece, i) => {
          storePiece(b, site.outputs[0]!, piece, maxima[i]!);
        });
      });
    });
    return b;
  },
};

/**
 * Declares temporaries and returns what sets `maxima[i]` to the maximum of the window in piece i of input
 * buffer 0: the first of equal ones, NaN where there is any. f32x4.pmax(a, b) is a < b ? b : a, so it
 * keeps the earlier of equal values and never lets NaN in; NaN is noted apart.
 */
export function maximaEmitter(b: FunctionBuilder, maxima: readonly Local[]) {
  const values = maxima.map(() => b.local('v128', 'value'));
  const unordered = maxima.map(() => b.local('v128', 'unordered'));
  return (site: WindowSite, pieces: readonly Piece[]): void => {
    pieces.forEach((_, i) => {
      b.f32x4(-Infinity).set(maxima[i]!).f32x4(0).set(unordered[i]!);
    });
    site.forEachTap((tap) => {
      pieces.forEach((piece, i) => {
        const value = values[i]!;
        pushTap(b, tap, 0, piece);
        b.set(value);
        b.get(maxima[i]!).get(value).op('f32x4.pmax').set(maxima[i]!);
        b.get(unordered[i]!).get(value).get(value).op('f32x4.ne').op('v128.or').set(unordered[i]!);
      });
    });
    // All bits set is a NaN.
    pieces.forEach((_, i) => {
      b.get(maxima[i]!).get(unordered[i]!).op('v128.or').set(maxima[i]!);
    });
  };
}
