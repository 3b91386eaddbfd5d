/** The SIMD twin of ../group-norm-backward.ts: four channels of a pixel at a time. */
import { PLANES } from '../batch-norm.ts';
import { type GroupNormBackwardSpec, groupNormBackwardFamily } from '../group-norm-backward.ts';
import { checkSameImages } from '../pixels.ts';
import {
  broadcastView,
  forEachImage,
  forEachPiece,
  loadPiece,
  nest,
  type Piece,
  startPointers,
  storePiece,
} from './rows.ts';
import { pixelLoops } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const groupNormBackwardTwin: SimdTwin<GroupNormBackwardSpec> = {
  kind: 'groupNormBackward',
  emit(spec) {
    const { input, gradOutput, gradInput, accumulate } = spec;
    checkSameImages('groupNormBackward', { input, gradOutput, gradInput });
    const b = twinFunction(groupNormBackwardFamily, spec);
    const { channels } = input;
    const numbers = (planes: number) => ({ ...broadcastView(input), imageStride: planes * channels });
    const buffers = [
      { origin: b.param('input'), view: input },
      { origin: b.param('gradOutput'), view: gradOutput },
      { origin: b.param('gradInput'), view: gradInput },
      { origin: b.param('statistics'), view: numbers(PLANES) },
      { origin: b.param('coefficients'), view: numbers(2) },
    ];
    const results = b.localArray('v128', 2, 'result');
    const pointers = startPointers(b, buffers);
    const [x, g, to, statistics, coefficients] = pointers;
    const plane = (piece: Piece, index: number) => ({
      ...piece,
      offset: piece.offset + 4 * index * channels,
    });
    forEachImage(b, buffers, pointers, b.param('count'), () => {
      nest(b, pixelLoops([input, gradOutput, gradInput]), [x!, g!, to!], () => {
        forEachPiece(b, pointers, channels, (pieces) => {
          pieces.forEach((piece, i) => {
            if (accumulate) loadPiece(b, to!, piece);
            loadPiece(b, statistics!, plane(piece, 2));
            loadPiece(b, g!, piece);
            b.op('f32x4.mul');
            loadPiece(b, statistics!, plane(piece, 1));
            loadPiece(b, coefficients!, piece);
            loadPiece(b, x!, piece);
            loadPiece(b, statistics!, piece);
            b.op('f32x4.sub');
            loadPiece(b, statistics!, plane(piece, 1));
            b.op('f32x4.mul');
            loadPiece(b, coefficients!, plane(piece, 1));
            b.op('f32x4.mul').op('f32x4.add').op('f32x4.mul').op('f32x4.sub');
            if (accumulate) b.op('f32x4.add');
            b.set(results[i]!);
          });
          pieces.forEach((piece, i) => {
            storePiece(b, to!, piece, results[i]!);
          });
        });
      });
    });
    return b;
  },
};
