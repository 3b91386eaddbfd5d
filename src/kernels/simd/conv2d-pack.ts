/**
 * SIMD twin of ../conv2d-pack.ts. For the forward pass a panel's line of outputs is contiguous in HWIO too, so
 * packing copies lines; for the input gradient the outputs are HWIO's rows, so it transposes 4x4 blocks.
 */
import { PANEL, type PackConv2dSpec, packConv2d, panelLayout, panelledLength } from '../conv2d-pack.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { fullParts, walk } from './micro-loops.ts';
import { loadLanes, storeLanes } from './micro-tile.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** Lines copied, or columns of blocks transposed, without a loop. */
const UNROLL = 8;

export const packConv2dTwin: SimdTwin<PackConv2dSpec> = {
  kind: 'packConv2d',
  emit(spec) {
    const b = twinFunction(packConv2d, spec);
    emitPack(b, spec);
    return b;
  },
};

/** Emits the packing into a function with the family's parameters. */
export function emitPack(b: FunctionBuilder, { geometry: g, pass, flip }: PackConv2dSpec): void {
  const layout = panelLayout(g, pass);
  const { groups, taps, outputs, inner } = layout;
  const forward = pass === 'forward';
  const row = 4 * g.outChannels;
  const tap = row * (g.inChannels / groups);
  // Both a flip and the input gradient read the taps backwards; together they cancel.
  const reverse = forward === flip;
  const group = [
    {
      from: b.param('weight'),
      offset: reverse ? (taps - 1) * tap : 0,
      step: row / groups,
    },
    { from: b.param('packed'), step: (4 * panelledLength(layout)) / groups },
  ];
  walk(b, groups, group, ([weight, packed]) => {
    for (const { start, count, size } of fullParts(outputs, PANEL)) {
      const output = forward ? 4 : row;
      const width = 4 * Math.ceil(size / 4);
      const panel = [
        { from: weight!, offset: start * output, step: PANEL * output },
        { from: packed!, offset: 4 * start * taps * inner, step: 4 * PANEL * taps * inner },
      ];
      walk(b, count, panel, ([from, to]) => {
        const lines = [
          { from: from!, step: reverse ? -tap : tap },
          { from: to!, step: 4 * width * inner },
        ];
        walk(b, taps, lines, ([source, target]) => {
          if (forward) copyLines(b, source!, target!, inner, size, row);
          else transposeLines(b, source!, target!, inner, size, row);
        });
      });
    }
  });
}

/** Copies `lines` lines of `lanes` floats, `row` bytes apart, padding each with zeros to whole vectors. */
function copyLines(
  b: FunctionBuilder,
  from: Local,
  to: Local,
  lines: number,
  lanes: number,
  row: number,
): void {
  const value = b.local('v128', 'value');
  const vectors = Math.ceil(lanes / 4);
  for (const part of fullParts(lines, UNROLL)) {
    const cursors = [
      { from, offset: part.start * row, step: UNROLL * row },
      { from: to, offset: part.start * 16 * vectors, step: UNROLL * 16 * vectors },
    ];
    walk(b, part.count, cursors, ([source, target]) => {
      for (let line = 0; line < part.size; line++) {
        for (let v = 0; v < vectors; v++) {
          loadLanes(b, source!, line * row + 16 * v, Math.min(4, lanes - 4 * v));
          b.set(value);
          storeLanes(b, target!, 16 * (line * vectors + v), value, 4);
        }
      }
    });
  }
}

/** Transposes `lanes` rows of `lines` floats, `row` bytes apart, into `lines` lines padded to whole vectors. */
function transposeLines(
  b: FunctionBuilder,
  from: Local,
  to: Local,
  lines: number,
  lanes: number,
  row: number,
): void {
  const vectors = Math.ceil(lanes / 4);
  const block = declareBlock(b);
  for (let v = 0; v < vectors; v++) {
    const rows = Math.min(4, lanes - 4 * v);
    for (const part of fullParts(lines, 4)) {
      const cursors = [
        { from, offset: 4 * v * row + 4 * part.start, step: 16 },
        { from: to, offset: 16 * (v + part.start * vectors), step: 64 * vectors },
      ];
      walk(b, part.count, cursors, ([source, target]) => {
        transposeBlock(b, block, source!, target!, rows, part.size, row, 16 * vectors);
      });
    }
  }
}

/** The locals of a 4x4 block. */
interface Block {
  readonly rows: readonly [Local, Local, Local, Local];
  readonly pairs: readonly [Local, Local, Local, Local];
  readonly column: Local;
}

function declareBlock(b: FunctionBuilder): Block {
  const four = (name: string) => b.localArray('v128', 4, name) as [Local, Local, Local, Local];
  return { rows: four('row'), pairs: four('pair'), column: b.local('v128', 'column') };
}

/** Transposes `rows` x `columns` floats, at most 4x4; missing rows become zeros. */
function transposeBlock(
  b: FunctionBuilder,
  { rows: [r0, r1, r2, r3], pairs: [low01, high01, low23, high23], column }: Block,
  from: Local,
  to: Local,
  rows: number,
  columns: number,
  rowBytes: number,
  columnBytes: number,
): void {
  for (const [i, row] of [r0, r1, r2, r3].entries()) {
    if (i < rows) loadLanes(b, from, i * rowBytes, columns);
    else b.f32x4(0);
    b.set(row);
  }
  b.get(r0).get(r1).shuffleLanes([0, 4, 1, 5]).set(low01);
  b.get(r0).get(r1).shuffleLanes([2, 6, 3, 7]).set(high01);
  b.get(r2).get(r3).shuffleLanes([0, 4, 1, 5]).set(low23);
  b.get(r2).get(r3).shuffleLanes([2, 6, 3, 7]).set(high23);
  for (let i = 0; i < columns; i++) {
    const [first, second] = i < 2 ? [low01, low23] : [high01, high23];
    b.get(first)
      .get(second)
      .shuffleLanes(i % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7])
      .set(column);
    storeLanes(b, to, i * columnBytes, column, 4);
  }
}
