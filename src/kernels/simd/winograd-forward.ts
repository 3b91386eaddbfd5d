/**
 * SIMD twin of ../winograd-forward.ts. Blocks of tiles run through all images of a call, so that the transformed
 * weights are read once a block even where an image has few tiles; a block's V and M stay in the second-level cache.
 */
import { inputHalo } from '../../tensor/convolution.ts';
import type { View } from '../../tensor/view.ts';
import { panelWidths } from '../conv2d-pack.ts';
import { blockOf, type WinogradForwardSpec, weightSlab, winogradForward } from '../winograd-forward.ts';
import { forwardSlab, type SlabStrides, tileArea, tileGrid } from '../winograd-geometry.ts';
import { stepProgram } from '../winograd-steps.ts';
import { winogradMatrices } from '../winograd-transforms.ts';
import { transformedLayout } from '../winograd-weights.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { repeat, walk } from './micro-loops.ts';
import { declareTile, loadLanes, reduceTile, startTile, storeTile, tileRows } from './micro-tile.ts';
import { type SimdTwin, type Target, twinFunction } from './twin.ts';
import { emitNested } from './winograd-steps.ts';
import {
  type ChannelGroup,
  emitTileTransforms,
  forChannels,
  forTileShape,
  lanesOf,
  loadGroup,
  nextTile,
  startWalk,
  storeGroup,
  type TileLayout,
  type TileWalk,
  wholeGroup,
} from './winograd-tiles.ts';

export const winogradForwardTwin: SimdTwin<WinogradForwardSpec> = {
  kind: 'winogradForward',
  emit(spec, target) {
    const { geometry: g, outputTile, input, output } = spec;
    // With the halo that the padding needs, only the last tiles of a row or column reach beyond it.
    if (input.halo < inputHalo(g)) return undefined;
    const b = twinFunction(winogradForward, spec);
    const [rows, columns] = tileGrid(g, outputTile);
    const { tile, inputMatrix } = winogradMatrices(outputTile);
    const grid = { rows, columns, step: outputTile };
    const { top, left } = g.padding;
    const read: TileLayout = { ...grid, view: input, size: tile, top, left, margin: input.halo };
    const write: TileLayout = { ...grid, view: output, size: outputTile, top: 0, left: 0, margin: 0 };
    const source = startWalk(b, read, b.param('input'));
    const result = startWalk(b, write, b.param('output'));
    const gate = spec.gate && startWalk(b, { ...write, view: spec.gate }, b.param('gate'));
    const scratch = b.param('scratch');
    const products = b.local('i32', 'products');
    const most = blockOf(spec);
    const inner = forwardSlab(g.inChannels, most);
    b.get(scratch)
      .i32(4 * tileArea(outputTile) * inner.element)
      .op('i32.add')
      .set(products);
    forTileBlocks(b, b.param('count'), rows * columns, most, (tiles) => {
      const program = stepProgram(inputMatrix);
      const place = { program, tileBytes: 4 * inner.tile, elementBytes: 4 * inner.element };
      emitTileTransforms(b, source, tiles, scratch, place, target);
      emitProducts(b, spec, tiles, scratch, products, target);
      emitOutput(b, spec, { result, gate }, tiles, products, target);
    });
    return b;
  },
};

/** Emits `body` for blocks of at most `most` of count * perImage tiles; its local holds the block's number. */
export function forTileBlocks(
  b: FunctionBuilder,
  count: Local,
  perImage: number,
  most: number,
  body: (tiles: Local) => void,
): void {
  const left = b.local('i32', 'tilesLeft');
  const tiles = b.local('i32', 'tiles');
  b.get(count).i32(perImage).op('i32.mul').tee(left);
  b.if(() => {
    b.loop((again) => {
      b.get(left).i32(most).get(left).i32(most).op('i32.lt_s').select('i32').set(tiles);
      body(tiles);
      b.get(left).get(tiles).op('i32.sub').tee(left).brIf(again);
    });
  });
}

/** The most rows up to `most` that divide a block: whole register tiles never reach beyond the block's scratch. */
function rowsOfBlock(block: number, most: number): number {
  let rows = Math.min(block, most);
  while (block % rows !== 0) rows--;
  return rows;
}

/** M = V U for each of the t*t elements: panels of 16 outputs, register tiles over the block's tiles. */
function emitProducts(
  b: FunctionBuilder,
  spec: WinogradForwardSpec,
  tiles: Local,
  scratch: Local,
  products: Local,
  target: Target,
): void {
  const { geometry: g, outputTile } = spec;
  const layout = transformedLayout(g, 'forward');
  const widths = panelWidths(layout.outputs);
  const block = blockOf(spec);
  const inner = forwardSlab(g.inChannels, block);
  const outer = forwardSlab(g.outChannels, block);
  const groups = b.local('i32', 'groups');
  const cursors = [
    { from: scratch, step: 4 * inner.element },
    { from: products, step: 4 * outer.element },
    { from: b.param('weight'), step: 4 * weightSlab(spec) },
  ];
  walk(b, tileArea(outputTile), cursors, ([v, m, u]) => {
    let panel = 0;
    while (panel < widths.length) {
      const width = widths[panel]!;
      const same = widths.filter((other) => other === width).length;
      const rows = rowsOfBlock(block, tileRows(width, target));
      b.get(tiles)
        .i32(rows - 1)
        .op('i32.add')
        .i32(rows)
        .op('i32.div_u')
        .set(groups);
      const panels = [
        { from: m!, offset: 64 * panel, step: 4 * width },
        { from: u!, offset: 64 * panel * g.inChannels, step: 4 * width * g.inChannels },
      ];
      walk(b, same, panels, ([mPanel, uPanel]) => {
        const both = [
          { from: v!, step: 4 * rows * inner.tile },
          { from: mPanel!, step: 4 * rows * outer.tile },
        ];
        walk(b, groups, both, ([vRow, mRow]) => {
          const offsets = (slab: SlabStrides) =>
            Array.from({ length: rows }, (_, row) => 4 * row * slab.tile);
          const tile = declareTile(b, rows, width);
          startTile(b, tile, { kind: 'zero' });
          const factors = { splat: vRow!, rowOffsets: offsets(inner), vector: uPanel!, padded: true };
          reduceTile(b, tile, factors, [{ count: g.inChannels, splat: 4, vector: 4 * width }], target);
          storeTile(b, tile, mRow!, offsets(outer), false);
        });
      });
      panel += same;
    }
  });
}

/** Y = A^T M A, bias or what the output holds, activation, gate, and the store. */
function emitOutput(
  b: FunctionBuilder,
  spec: WinogradForwardSpec,
  { result, gate }: { readonly result: TileWalk; readonly gate: TileWalk | undefined },
  tiles: Local,
  products: Local,
  target: Target,
): void {
  const { geometry: g, outputTile, output, bias, accumulate, activation } = spec;
  const { tile, outputMatrix } = winogradMatrices(outputTile);
  const program = stepProgram(outputMatrix);
  const outer = forwardSlab(g.outChannels, blockOf(spec));
  const from = b.local('i32', 'productsAt');
  const pointers = [from, result.at, ...(bias ? [b.param('bias')] : []), ...(gate ? [gate.at] : [])];
  b.get(products).set(from);
  repeat(b, tiles, () => {
    forTileShape(b, result, (rows, columns) => {
      forChannels(b, g.outChannels, pointers, target, (group, [m, to, ...more]) => {
        const biasAt = bias ? more[0] : undefined;
        const shift = bias ? loadGroup(b, group, biasAt, 0) : undefined;
        const load = (i: number, j: number) =>
          loadGroup(b, wholeGroup(group), m, 4 * (i * tile + j) * outer.element);
        emitNested(b, program, load, (i, j, value) => {
          if (i >= rows || j >= columns) return;
          const offset = 4 * (i * output.rowStride + j * output.pixelStride);
          value.forEach((vector, part) => {
            if (shift !== undefined) b.get(vector).get(shift[part]!).op('f32x4.add').set(vector);
            if (accumulate) {
              b.get(vector);
              loadLanes(b, to!, offset + 16 * part, lanesOf(group, part));
              b.op('f32x4.add').set(vector);
            }
            if (activation === 'relu') b.get(vector).f32x4(0).op('f32x4.pmax').set(vector);
          });
          if (gate !== undefined) emitGate(b, group, more.at(-1)!, gate.layout.view, [i, j], value);
          storeGroup(b, group, to!, offset, value);
        });
      });
    });
    nextTile(b, result);
    if (gate !== undefined) nextTile(b, gate);
    b.advance(from, 4 * outer.tile);
  });
}

/** Leaves a value only where the ReLU's output at pixel (i, j) of the tile is above 0. */
function emitGate(
  b: FunctionBuilder,
  group: ChannelGroup,
  at: Local,
  view: View,
  [i, j]: readonly [number, number],
  value: readonly Local[],
): void {
  const opened = loadGroup(b, group, at, 4 * (i * view.rowStride + j * view.pixelStride));
  value.forEach((vector, part) => {
    b.get(opened[part]!).f32x4(0).op('f32x4.gt').get(vector).op('v128.and').set(vector);
  });
}
