/**
 * The SIMD twin of ../prelu-backward.ts: four channels of a pixel at a time; gradAlpha's running sums stay
 * in memory, where each pixel adds its products.
 */
import { checkSameImages } from '../pixels.ts';
import { type PreluBackwardSpec, preluBackwardFamily } from '../prelu-backward.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import {
  broadcastView,
  clearElements,
  forEachPiece,
  forEachRun,
  loadPiece,
  type Piece,
  storePiece,
} from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const preluBackwardTwin: SimdTwin<PreluBackwardSpec> = {
  kind: 'preluBackward',
  emit(spec) {
    const { input, gradOutput, gradInput } = spec;
    checkSameImages('preluBackward', { input, gradOutput, gradInput });
    const b = twinFunction(preluBackwardFamily, spec);
    const perChannel = broadcastView(input);
    if (!spec.accumulateAlpha) clearElements(b, b.param('gradAlpha'), input.channels);
    const buffers = [
      { origin: b.param('input'), view: input },
      { origin: b.param('alpha'), view: perChannel },
      { origin: b.param('gradOutput'), view: gradOutput },
      { origin: b.param('gradInput'), view: gradInput },
      { origin: b.param('gradAlpha'), view: perChannel },
    ];
    const emitPiece = pieceEmitter(b, spec.accumulate);
    forEachRun(b, buffers, b.param('count'), (pointers, length) => {
      forEachPiece(b, pointers, length, (pieces) => {
        for (const piece of pieces) emitPiece(pointers, piece);
      });
    });
    return b;
  },
};

function pieceEmitter(b: FunctionBuilder, accumulate: boolean) {
  const [x, g, positive, result] = b.localArray('v128', 4, 'value') as [Local, Local, Local, Local];
  return (pointers: readonly Local[], piece: Piece): void => {
    const [input, alpha, gradOutput, gradInput, gradAlpha] = pointers as [Local, Local, Local, Local, Local];
    loadPiece(b, input, piece);
    b.tee(x).f32x4(0).op('f32x4.gt').set(positive);
    loadPiece(b, gradOutput, piece);
    b.set(g);
    if (accumulate) loadPiece(b, gradInput, piece);
    b.get(g);
    loadPiece(b, alpha, piece);
    b.get(g).op('f32x4.mul').get(positive).op('v128.bitselect');
    if (accumulate) b.op('f32x4.add');
    b.set(result);
    storePiece(b, gradInput, piece, result);
    loadPiece(b, gradAlpha, piece);
    b.get(x).get(g).op('f32x4.mul').get(positive).op('v128.andnot').op('f32x4.add').set(result);
    storePiece(b, gradAlpha, piece, result);
  };
}
