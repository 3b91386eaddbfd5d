/**
 * SIMD twin of ../dense-weight-gradient.ts: tiles of a few rows (input features) x 16 outputs, which sum over
 * the samples. Panels of outputs are outermost, so that a panel of gradOutput stays in cache while the rows pass.
 */
import { type DenseWeightGradientSpec, denseWeightGradient } from '../dense-weight-gradient.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { fullParts, walk } from './micro-loops.ts';
import { emitRowTile, type OuterPointers } from './micro-rows.ts';
import { reduceSamples, tileRows } from './micro-tile.ts';
import { type SimdTwin, type Target, twinFunction } from './twin.ts';

/** Outputs of a panel. */
const LANES = 16;

export const denseWeightGradientSimd: SimdTwin<DenseWeightGradientSpec> = {
  kind: 'denseWeightGradient',
  emit(spec, target) {
    const b = twinFunction(denseWeightGradient, spec);
    const { outFeatures } = spec;
    const input = b.local('i32', 'input');
    const gradWeight = b.local('i32', 'gradWeight');
    const rowStart = b.param('rowStart');
    b.get(rowStart).i32(4).op('i32.mul').get(b.param('input')).op('i32.add').set(input);
    b.get(rowStart)
      .i32(4 * outFeatures)
      .op('i32.mul')
      .get(b.param('gradWeight'))
      .op('i32.add')
      .set(gradWeight);
    const gradOutput = b.param('gradOutput');
    for (const panels of fullParts(outFeatures, LANES)) {
      const cursors = [
        { from: gradOutput, offset: 4 * panels.start, step: 4 * LANES },
        { from: gradWeight, offset: 4 * panels.start, step: 4 * LANES },
      ];
      walk(b, panels.count, cursors, ([y, w]) => {
        emitPanel(b, spec, { input, gradOutput: y!, gradWeight: w! }, panels.size, target);
      });
    }
    return b;
  },
};

/** All rows of one panel of `lanes` outputs: full tiles, then one of the rows left. */
function emitPanel(
  b: FunctionBuilder,
  spec: DenseWeightGradientSpec,
  at: OuterPointers,
  lanes: number,
  target: Target,
): void {
  const most = tileRows(lanes, target);
  const rowCount = b.param('rowCount');
  const row = { splat: 4, vector: 4 * spec.outFeatures };
  const sample = { splat: 4 * spec.inputStride, vector: 4 * spec.gradOutputStride };
  const input = b.local('i32', 'input');
  const gradWeight = b.local('i32', 'gradWeight');
  const tile = (size: number) => {
    const from = { input, gradOutput: at.gradOutput, gradWeight };
    const start = spec.accumulate ? 'rows' : 'zero';
    emitRowTile(b, size, row, 0, from, lanes, start, (sums, factors) => {
      reduceSamples(b, sums, factors, b.param('count'), sample, target);
    });
  };
  b.get(at.input).set(input).get(at.gradWeight).set(gradWeight);
  const full = b.local('i32', 'full');
  b.get(rowCount).i32(most).op('i32.div_u').set(full);
  walk(b, full, [], () => {
    tile(most);
    b.advance(input, most * row.splat).advance(gradWeight, most * row.vector);
  });
  for (let rest = 1; rest < most; rest++) {
    b.get(rowCount).i32(most).op('i32.rem_u').i32(rest).op('i32.eq');
    b.if(() => tile(rest));
  }
}
