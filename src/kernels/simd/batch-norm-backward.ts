/** The SIMD twin of ../batch-norm-backward.ts: four channels of a pixel at a time. */
import { PLANES } from '../batch-norm.ts';
import { type BatchNormBackwardSpec, batchNormBackwardFamily } from '../batch-norm-backward.ts';
import { checkSameImages } from '../pixels.ts';
import { forEachPiece, loadPiece, nest, type Piece, storePiece } from './rows.ts';
import { forEachGroupedImage, pixelLoops } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const batchNormBackwardTwin: SimdTwin<BatchNormBackwardSpec> = {
  kind: 'batchNormBackward',
  emit(spec) {
    const { input, gradOutput, gradInput, accumulate } = spec;
    checkSameImages('batchNormBackward', { input, gradOutput, gradInput });
    const b = twinFunction(batchNormBackwardFamily, spec);
    const { channels } = input;
    const views = [input, gradOutput, gradInput];
    const images = ['input', 'gradOutput', 'gradInput'].map((name, i) => ({
      origin: b.param(name),
      view: views[i]!,
    }));
    const numbers = [
      { origin: b.param('statistics'), bytes: 4 * PLANES * channels },
      { origin: b.param('coefficients'), bytes: 4 * 2 * channels },
    ];
    const results = b.localArray('v128', 2, 'result');
    const plane = (piece: Piece, index: number) => ({
      ...piece,
      offset: piece.offset + 4 * index * channels,
    });
    forEachGroupedImage(b, spec, images, numbers, ([x, g, to], [statistics, coefficients]) => {
      nest(b, pixelLoops(views), [x!, g!, to!], () => {
        forEachPiece(b, [x!, g!, to!, statistics!, coefficients!], channels, (pieces) => {
          pieces.forEach((piece, i) => {
            if (accumulate) loadPiece(b, to!, piece);
            loadPiece(b, statistics!, plane(piece, 2));
            loadPiece(b, g!, piece);
            loadPiece(b, coefficients!, piece);
            b.op('f32x4.sub');
            loadPiece(b, x!, piece);
            loadPiece(b, statistics!, piece);
            b.op('f32x4.sub');
            loadPiece(b, statistics!, plane(piece, 1));
            b.op('f32x4.mul');
            loadPiece(b, coefficients!, plane(piece, 1));
            b.op('f32x4.mul').op('f32x4.sub').op('f32x4.mul');
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
