/**
 * SIMD twin of ../winograd-weight-gradient.ts. Blocks of tiles run through all images of a call; the sums S pass
 * through registers once a block, a tile of channels x outputs at a time.
 */
import { inputHalo } from '../../tensor/convolution.ts';
import { PANEL, panelWidths } from '../conv2d-pack.ts';
import {
  gradientSlab,
  gradientSumsSlab,
  gradientTileBlock,
  type SlabStrides,
  tileArea,
  tileGrid,
  wholeVectors,
} from '../winograd-geometry.ts';
import { stepProgram } from '../winograd-steps.ts';
import { transpose, winogradMatrices } from '../winograd-transforms.ts';
import { type WinogradWeightGradientSpec, winogradWeightGradient } from '../winograd-weight-gradient.ts';
import { tileDivisors } from '../winograd-weights.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { evenParts, fullParts, walk } from './micro-loops.ts';
import { declareTile, loadLanes, reduceSamples, startTile, storeTile, tileRows } from './micro-tile.ts';
import { type SimdTwin, type Target, twinFunction } from './twin.ts';
import { forTileBlocks } from './winograd-forward.ts';
import { emitNested } from './winograd-steps.ts';
import {
  emitTileTransforms,
  forChannels,
  lanesOf,
  loadGroup,
  startWalk,
  storeGroup,
  type TileLayout,
  wholeGroup,
} from './winograd-tiles.ts';

/** Where things lie in scratch. */
interface Strides {
  /** Of V, in floats: input channels. */
  readonly inner: SlabStrides;
  /** Of M, in floats: output channels. */
  readonly outer: SlabStrides;
  /** Bytes from one of the t*t matrices of S to the next. */
  readonly sums: number;
}

export const winogradWeightGradientTwin: SimdTwin<WinogradWeightGradientSpec> = {
  kind: 'winogradWeightGradient',
  emit(spec, target) {
    const { geometry: g, outputTile, input, gradOutput } = spec;
    // With the halo that the padding needs, only the last tiles of a row or column reach beyond it.
    if (input.halo < inputHalo(g)) return undefined;
    const b = twinFunction(winogradWeightGradient, spec);
    const [rows, columns] = tileGrid(g, outputTile);
    const { tile, inputMatrix, outputMatrix } = winogradMatrices(outputTile);
    const { top, left } = g.padding;
    const grid = { rows, columns, step: outputTile };
    const read: TileLayout = { ...grid, view: input, size: tile, top, left, margin: input.halo };
    const { halo } = gradOutput;
    const graded: TileLayout = { ...grid, view: gradOutput, size: outputTile, top: 0, left: 0, margin: halo };
    const area = tileArea(outputTile);
    const most = gradientTileBlock(g);
    const strides = {
      inner: gradientSlab(g.inChannels, most),
      outer: gradientSlab(g.outChannels, most),
      sums: 4 * gradientSumsSlab(g),
    };
    const [v, m] = [b.local('i32', 'v'), b.local('i32', 'm')];
    const [first, single] = [b.local('i32', 'first'), b.local('i32', 'single')];
    b.get(b.param('scratch'))
      .i32(area * strides.sums)
      .op('i32.add')
      .tee(v);
    b.i32(4 * area * strides.inner.element)
      .op('i32.add')
      .set(m);
    b.i32(1).set(first);
    b.get(b.param('count'))
      .i32(rows * columns)
      .op('i32.mul')
      .tee(single)
      .i32(most)
      .op('i32.le_u');
    b.get(single).i32(0).op('i32.ne').op('i32.and').set(single);
    const source = startWalk(b, read, b.param('input'));
    const gradient = startWalk(b, graded, b.param('gradOutput'));
    const place = (program: ReturnType<typeof stepProgram>, { tile, element }: SlabStrides) => ({
      program,
      tileBytes: 4 * tile,
      elementBytes: 4 * element,
    });
    forTileBlocks(b, b.param('count'), rows * columns, most, (tiles) => {
      const outputProgram = stepProgram(transpose(outputMatrix));
      emitTileTransforms(b, source, tiles, v, place(stepProgram(inputMatrix), strides.inner), target);
      const divisors = tileDivisors(winogradMatrices(outputTile));
      const scaled = { ...place(outputProgram, strides.outer), divisors };
      emitTileTransforms(b, gradient, tiles, m, scaled, target);
      const block = { tiles, v, m, strides };
      b.get(single).if(
        () => emitSingleBlock(b, spec, block, target),
        () => {
          b.get(first).if(
            () => emitProducts(b, spec, { ...block, start: 'zero' }, target),
            () => emitProducts(b, spec, { ...block, start: 'rows' }, target),
          );
        },
      );
      b.i32(0).set(first);
    });
    b.get(first).if(() => emitZeros(b, area * strides.sums));
    b.get(single)
      .op('i32.eqz')
      .if(() => emitLast(b, spec, strides.sums, target));
    return b;
  },
};

/** What a block of tiles is made of. */
interface Block {
  readonly tiles: Local;
  readonly v: Local;
  readonly m: Local;
  readonly strides: Strides;
}

/**
 * The whole gradient where all tiles are in one block: for a few input channels and a panel of outputs at a time,
 * the sums of all t*t elements, then G^T; S never leaves the first-level cache.
 */
function emitSingleBlock(
  b: FunctionBuilder,
  spec: WinogradWeightGradientSpec,
  { tiles, v, m, strides }: Block,
  target: Target,
): void {
  const { geometry: g, outputTile } = spec;
  for (const panels of fullParts(g.outChannels, PANEL)) {
    const width = wholeVectors(panels.size);
    const overPanels = [
      { from: m, offset: 4 * panels.start, step: 4 * PANEL },
      { from: b.param('gradWeight'), offset: 4 * panels.start, step: 4 * PANEL },
    ];
    walk(b, panels.count, overPanels, ([mPanel, gradPanel]) => {
      for (const part of evenParts(g.inChannels, tileRows(width, target))) {
        const overParts = [
          { from: v, offset: 4 * part.start, step: 4 * part.size },
          { from: gradPanel!, offset: 4 * part.start * g.outChannels, step: 4 * part.size * g.outChannels },
        ];
        walk(b, part.count, overParts, ([vPart, gradPart]) => {
          const rowBytes = 4 * width;
          const overElements = [
            { from: b.param('scratch'), step: part.size * rowBytes },
            { from: vPart!, step: 4 * strides.inner.element },
            { from: mPanel!, step: 4 * strides.outer.element },
          ];
          walk(b, tileArea(outputTile), overElements, ([sums, values, vector]) => {
            const tile = { rows: part.size, width, rowBytes, start: 'zero' as const };
            emitTile(b, tile, [sums!, values!, vector!], { tiles, strides }, target);
          });
          const rows = { rows: part.size, channels: panels.size, rowBytes, slab: part.size * rowBytes };
          emitFinish(b, spec, rows, b.param('scratch'), gradPart!, target);
        });
      }
    });
  }
}

/** One register tile of S over a block's tiles. */
function emitTile(
  b: FunctionBuilder,
  { rows, width, rowBytes, start }: { rows: number; width: number; rowBytes: number; start: 'zero' | 'rows' },
  [sums, values, gradients]: readonly [Local, Local, Local],
  { tiles, strides }: Pick<Block, 'tiles' | 'strides'>,
  target: Target,
): void {
  const indices = Array.from({ length: rows }, (_, row) => row);
  const offsets = indices.map((row) => row * rowBytes);
  const tile = declareTile(b, rows, width);
  startTile(b, tile, start === 'zero' ? { kind: 'zero' } : { kind: 'rows', at: sums, offsets });
  const [splat, vector] = [b.local('i32', 'splat'), b.local('i32', 'vector')];
  b.get(values).set(splat).get(gradients).set(vector);
  const factors = { splat, rowOffsets: indices.map((row) => 4 * row), vector, padded: true };
  reduceSamples(
    b,
    tile,
    factors,
    tiles,
    { splat: 4 * strides.inner.tile, vector: 4 * strides.outer.tile },
    target,
  );
  storeTile(b, tile, sums, offsets, false);
}

/** S += V^T M over a block, for each of the t*t elements; starts at +0 in the first block. */
function emitProducts(
  b: FunctionBuilder,
  { geometry: g, outputTile }: WinogradWeightGradientSpec,
  block: Block & { readonly start: 'zero' | 'rows' },
  target: Target,
): void {
  const { tiles, v, m, strides, start } = block;
  const cursors = [
    { from: b.param('scratch'), step: strides.sums },
    { from: v, step: 4 * strides.inner.element },
    { from: m, step: 4 * strides.outer.element },
  ];
  const widths = panelWidths(g.outChannels);
  walk(b, tileArea(outputTile), cursors, ([s, vSlab, mSlab]) => {
    let panel = 0;
    while (panel < widths.length) {
      const width = widths[panel]!;
      const same = widths.filter((other) => other === width).length;
      const rowBytes = 4 * width;
      const panels = [
        { from: s!, offset: 64 * panel * g.inChannels, step: rowBytes * g.inChannels },
        { from: mSlab!, offset: 64 * panel, step: 4 * width },
      ];
      walk(b, same, panels, ([sPanel, mPanel]) => {
        for (const part of evenParts(g.inChannels, tileRows(width, target))) {
          const parts = [
            { from: sPanel!, offset: part.start * rowBytes, step: part.size * rowBytes },
            { from: vSlab!, offset: 4 * part.start, step: 4 * part.size },
          ];
          walk(b, part.count, parts, ([sums, values]) => {
            const tile = { rows: part.size, width, rowBytes, start };
            emitTile(b, tile, [sums!, values!, mPanel!], { tiles, strides }, target);
          });
        }
      });
      panel += same;
    }
  });
}

/** Zeroes S where there was no tile at all. */
function emitZeros(b: FunctionBuilder, bytes: number): void {
  const at = b.local('i32', 'zeroAt');
  const end = b.local('i32', 'zeroEnd');
  b.get(b.param('scratch')).i32(bytes).op('i32.add').set(end);
  b.forRange(at, end, () => void b.get(at).f32x4(0).memory('v128.store'), {
    start: b.param('scratch'),
    step: 16,
  });
}

/** The gradient of all weights from S. */
function emitLast(b: FunctionBuilder, spec: WinogradWeightGradientSpec, slab: number, target: Target): void {
  const { inChannels, outChannels } = spec.geometry;
  for (const panels of fullParts(outChannels, PANEL)) {
    const rowBytes = 4 * wholeVectors(panels.size);
    const overPanels = [
      { from: b.param('scratch'), offset: 4 * panels.start * inChannels, step: rowBytes * inChannels },
      { from: b.param('gradWeight'), offset: 4 * panels.start, step: 4 * PANEL },
    ];
    walk(b, panels.count, overPanels, ([sums, gradient]) => {
      const rows = { rows: inChannels, channels: panels.size, rowBytes, slab };
      emitFinish(b, spec, rows, sums!, gradient!, target);
    });
  }
}

/** gradWeight = G^T S G, tap by tap, for some input channels (rows of S) and outputs. */
function emitFinish(
  b: FunctionBuilder,
  spec: WinogradWeightGradientSpec,
  part: {
    readonly rows: number;
    readonly channels: number;
    readonly rowBytes: number;
    readonly slab: number;
  },
  from: Local,
  to: Local,
  target: Target,
): void {
  const { geometry: g, outputTile, accumulate, flip } = spec;
  const matrices = winogradMatrices(outputTile);
  const { tile, taps } = matrices;
  const program = stepProgram(transpose(matrices.weightMatrix));
  const cursors = [
    { from, step: part.rowBytes },
    { from: to, step: 4 * g.outChannels },
  ];
  walk(b, part.rows, cursors, ([row, gradientRow]) => {
    forChannels(b, part.channels, [row!, gradientRow!], target, (group, [sums, gradient]) => {
      const load = (i: number, j: number) =>
        loadGroup(b, wholeGroup(group), sums!, (i * tile + j) * part.slab);
      emitNested(b, program, load, (i, j, value) => {
        const tap = i * taps + j;
        const position = flip ? taps * taps - 1 - tap : tap;
        const offset = 4 * position * g.inChannels * g.outChannels;
        if (accumulate) {
          value.forEach((vector, part) => {
            loadLanes(b, gradient!, offset + 16 * part, lanesOf(group, part));
            b.get(vector).op('f32x4.add').set(vector);
          });
        }
        storeGroup(b, group, gradient!, offset, value);
      });
    });
  });
}
