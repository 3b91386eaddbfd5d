/**
 * SIMD twin of ../dense-weight-gradient.ts: tiles of a few rows (input features) x 16 outputs, which sum over
 * the samples.
 *
 * Loops, outermost first: chunks of 16 rows (a line of cache of every sample's input), panels of 16 outputs,
 * tiles, samples; then the same for the rows left, whose number is known only when the kernel runs.
 */
import { type DenseWeightGradientSpec, denseWeightGradient } from '../dense-weight-gradient.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { fullParts, walk, walkTiles } from './micro-loops.ts';
import { emitRows, emitRowTile, type OuterPointers, type Reduction } from './micro-rows.ts';
import { reduceSamples, tileRows } from './micro-tile.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** Outputs of a panel, and rows of a chunk. */
const LINE = 16;

export const denseWeightGradientTwin: SimdTwin<DenseWeightGradientSpec> = {
  kind: 'denseWeightGradient',
  emit(spec, target) {
    const b = twinFunction(denseWeightGradient, spec);
    const row = { splat: 4, vector: 4 * spec.outFeatures };
    const start = spec.accumulate ? 'rows' : 'zero';
    const sample = { splat: 4 * spec.inputStride, vector: 4 * spec.gradOutputStride };
    const reduction: Reduction = (tile, factors) =>
      reduceSamples(b, tile, factors, b.param('count'), sample, target);
    const at = moved(b, spec, b.param('rowStart'), {
      input: b.param('input'),
      gradOutput: b.param('gradOutput'),
      gradWeight: b.param('gradWeight'),
    });
    const part = b.local('i32', 'part');
    b.get(b.param('rowCount')).i32(LINE).op('i32.div_u').set(part);
    const chunks = [
      { from: at.input, step: LINE * row.splat },
      { from: at.gradWeight, step: LINE * row.vector },
    ];
    walk(b, part, chunks, ([input, gradWeight]) => {
      const chunk = { ...at, input: input!, gradWeight: gradWeight! };
      walkPanels(b, spec, chunk, (panel, lanes) => {
        emitRows(b, [{ count: LINE, ...row }], panel, lanes, start, reduction, target);
      });
    });
    b.get(b.param('rowCount')).i32(-LINE).op('i32.and').set(part);
    const rest = moved(b, spec, part, at);
    b.get(b.param('rowCount')).i32(LINE).op('i32.rem_u').set(part);
    walkPanels(b, spec, rest, (panel, lanes) => {
      const rows = [
        { from: panel.input, step: row.splat },
        { from: panel.gradWeight, step: row.vector },
      ];
      walkTiles(b, part, tileRows(lanes, target), rows, (size, [input, gradWeight]) => {
        const from = { ...panel, input: input!, gradWeight: gradWeight! };
        emitRowTile(b, size, row, 0, from, lanes, start, reduction);
      });
    });
    return b;
  },
};

/** The pointers, `rows` rows on. */
function moved(
  b: FunctionBuilder,
  spec: DenseWeightGradientSpec,
  rows: Local,
  at: OuterPointers,
): OuterPointers {
  const input = b.local('i32', 'input');
  const gradWeight = b.local('i32', 'gradWeight');
  b.get(rows).i32(4).op('i32.mul').get(at.input).op('i32.add').set(input);
  b.get(rows)
    .i32(4 * spec.outFeatures)
    .op('i32.mul')
    .get(at.gradWeight)
    .op('i32.add')
    .set(gradWeight);
  return { ...at, input, gradWeight };
}

/** Walks the panels of outputs. */
function walkPanels(
  b: FunctionBuilder,
  spec: DenseWeightGradientSpec,
  at: OuterPointers,
  body: (panel: OuterPointers, lanes: number) => void,
): void {
  for (const { start, count, size } of fullParts(spec.outFeatures, LINE)) {
    const cursors = [
      { from: at.gradOutput, offset: 4 * start, step: 4 * LINE },
      { from: at.gradWeight, offset: 4 * start, step: 4 * LINE },
    ];
    walk(b, count, cursors, ([gradOutput, gradWeight]) => {
      body({ ...at, gradOutput: gradOutput!, gradWeight: gradWeight! }, size);
    });
  }
}
