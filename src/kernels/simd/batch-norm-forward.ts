/** The SIMD twin of ../batch-norm-forward.ts: four channels of a pixel at a time. */
import { PLANES } from '../batch-norm.ts';
import { type BatchNormForwardSpec, batchNormForwardFamily } from '../batch-norm-forward.ts';
import { checkSameImages } from '../pixels.ts';
import { forEachPiece, loadPiece, nest, type Piece, storePiece } from './rows.ts';
import { forEachGroupedImage, pixelLoops } from './sample-groups.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const batchNormForwardTwin: SimdTwin<BatchNormForwardSpec> = {
  kind: 'batchNormForward',
  emit(spec) {
    const { input, output, center } = spec;
    checkSameImages('batchNormForward', { input, output });
    const b = twinFunction(batchNormForwardFamily, spec);
    const { channels } = input;
    const images = [
      { origin: b.param('input'), view: input },
      { origin: b.param('output'), view: output },
    ];
    const statistics = { origin: b.param('statistics'), bytes: 4 * PLANES * channels };
    const beta = center ? [b.param('beta')] : [];
    const results = b.localArray('v128', 2, 'result');
    const plane = (piece: Piece, index: number) => ({
      ...piece,
      offset: piece.offset + 4 * index * channels,
    });
    forEachGroupedImage(b, spec, images, [statistics], ([x, y], [numbers]) => {
      nest(b, pixelLoops([input, output]), [x!, y!], () => {
        forEachPiece(b, [x!, y!, numbers!, ...beta], channels, (pieces) => {
          pieces.forEach((piece, i) => {
            loadPiece(b, x!, piece);
            loadPiece(b, numbers!, piece);
            b.op('f32x4.sub');
            loadPiece(b, numbers!, plane(piece, 2));
            b.op('f32x4.mul');
            if (center) {
              loadPiece(b, beta[0]!, piece);
              b.op('f32x4.add');
            }
            b.set(results[i]!);
          });
          pieces.forEach((piece, i) => {
            storePiece(b, y!, piece, results[i]!);
          });
        });
      });
    });
    return b;
  },
};
