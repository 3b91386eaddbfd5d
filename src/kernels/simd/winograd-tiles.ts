/**
 * Loops over the tiles of images and over the channels of a tile, while emitting (twin of ../winograd-tiles.ts).
 * Tiles are counted through all images of a call, row by row; a walk remembers where it stands, so that blocks of
 * tiles continue each other across rows and images.
 */
import type { View } from '../../tensor/view.ts';
import type { StepProgram } from '../winograd-steps.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { repeat, walk } from './micro-loops.ts';
import { loadLanes, storeLanes } from './micro-tile.ts';
import type { Target } from './twin.ts';
import { divided, emitNested, type Lanes } from './winograd-steps.ts';

/** How tiles lie in the images of a view. */
export interface TileLayout {
  readonly view: View;
  /** Tiles down and across an image. */
  readonly rows: number;
  readonly columns: number;
  /** Pixels from tile to tile. */
  readonly step: number;
  /** Pixels of a tile along an axis. */
  readonly size: number;
  /** Pixels that the first tile begins above and to the left of the image. */
  readonly top: number;
  readonly left: number;
  /** Pixels around the image that a tile may touch: the halo where tiles are read, 0 where they are written. */
  readonly margin: number;
}

/** A walk over tiles. */
export interface TileWalk {
  readonly layout: TileLayout;
  /** Byte address of the tile's first pixel. */
  readonly at: Local;
  readonly row: Local;
  readonly column: Local;
}

/** Starts a walk at the first tile of the first image, whose pixel (0, 0) lies at `origin`. */
export function startWalk(b: FunctionBuilder, layout: TileLayout, origin: Local): TileWalk {
  const { view, top, left } = layout;
  const at = b.local('i32', 'tileAt');
  b.get(origin)
    .i32(4 * (top * view.rowStride + left * view.pixelStride))
    .op('i32.sub')
    .set(at);
  return { layout, at, row: b.local('i32', 'tileRow'), column: b.local('i32', 'tileColumn') };
}

/** Moves a walk to the next tile. */
export function nextTile(b: FunctionBuilder, { layout, at, row, column }: TileWalk): void {
  const { view, rows, columns, step } = layout;
  b.advance(at, 4 * step * view.pixelStride);
  b.get(column).i32(1).op('i32.add').tee(column).i32(columns).op('i32.eq');
  b.if(() => {
    b.i32(0).set(column);
    b.advance(at, 4 * (step * view.rowStride - columns * step * view.pixelStride));
    b.get(row).i32(1).op('i32.add').tee(row).i32(rows).op('i32.eq');
    b.if(() => {
      b.i32(0).set(row);
      b.advance(at, 4 * (view.imageStride - rows * step * view.rowStride));
    });
  });
}

/** Emits `body` for the tile of a walk: once if all tiles are whole, else a version each for the cut ones. */
export function forTileShape(
  b: FunctionBuilder,
  { layout, row, column }: TileWalk,
  body: (rows: number, columns: number) => void,
): void {
  const { view, rows, columns, step, size, top, left, margin } = layout;
  const lastRows = Math.min(size, view.height + margin + top - (rows - 1) * step);
  const lastColumns = Math.min(size, view.width + margin + left - (columns - 1) * step);
  const byColumn = (height: number) => {
    if (lastColumns === size || columns === 1) return body(height, lastColumns);
    b.get(column)
      .i32(columns - 1)
      .op('i32.eq');
    return b.if(
      () => body(height, lastColumns),
      () => body(height, size),
    );
  };
  if (lastRows === size || rows === 1) {
    byColumn(lastRows);
    return;
  }
  b.get(row)
    .i32(rows - 1)
    .op('i32.eq');
  b.if(
    () => void byColumn(lastRows),
    () => void byColumn(size),
  );
}

/** Neighbouring channels that are handled together. */
export interface ChannelGroup {
  /** Vectors; the last one may be partly used. */
  readonly vectors: number;
  readonly channels: number;
}

/** Lanes in use of vector `part` of a group. */
export function lanesOf(group: ChannelGroup, part: number): number {
  return Math.min(4, group.channels - 4 * part);
}

/** Emits `body` for all channels, in groups of two vectors where the target has pairs; pointers move along. */
export function forChannels(
  b: FunctionBuilder,
  channels: number,
  pointers: readonly Local[],
  target: Target,
  body: (group: ChannelGroup, pointers: Local[]) => void,
): void {
  const whole = target.pairs ? 8 : 4;
  const full = Math.floor(channels / whole);
  const cursors = pointers.map((from) => ({ from, step: 4 * whole }));
  walk(b, full, cursors, (at) => body({ vectors: whole / 4, channels: whole }, at));
  const rest = channels - full * whole;
  if (rest === 0) return;
  const after = pointers.map((from) => ({ from, offset: 4 * full * whole, step: 0 }));
  walk(b, 1, after, (at) => body({ vectors: Math.ceil(rest / 4), channels: rest }, at));
}

/** Emits the transform of `tiles` tiles from a walk into scratch: element e of a tile at e * elementBytes. */
export function emitTileTransforms(
  b: FunctionBuilder,
  at: TileWalk,
  tiles: Local,
  to: Local,
  options: {
    readonly program: StepProgram;
    readonly tileBytes: number;
    readonly elementBytes: number;
    readonly divisors?: readonly number[];
  },
  target: Target,
): void {
  const { program, tileBytes, elementBytes, divisors } = options;
  const { view } = at.layout;
  const size = program.outputs.length;
  const out = b.local('i32', 'transformed');
  b.get(to).set(out);
  repeat(b, tiles, () => {
    forTileShape(b, at, (rows, columns) => {
      forChannels(b, view.channels, [at.at, out], target, (group, [from, store]) => {
        emitNested(
          b,
          program,
          (row, column) => {
            const inside = row < rows && column < columns;
            const offset = 4 * (row * view.rowStride + column * view.pixelStride);
            return loadGroup(b, group, inside ? from! : undefined, offset);
          },
          (row, column, value) => {
            const element = row * size + column;
            const scaled = divided(b, value, divisors?.[element] ?? 1);
            storeGroup(b, wholeGroup(group), store!, element * elementBytes, scaled);
          },
        );
      });
    });
    nextTile(b, at);
    b.advance(out, tileBytes);
  });
}

/** The group with all lanes of its last vector in use. */
export function wholeGroup({ vectors }: ChannelGroup): ChannelGroup {
  return { vectors, channels: 4 * vectors };
}

/**
 * Stores a value, the higher address first: in the other order V8's revectorization leaves a second, narrow store
 * behind (seen in its machine code).
 */
export function storeGroup(
  b: FunctionBuilder,
  group: ChannelGroup,
  at: Local,
  offset: number,
  value: Lanes,
): void {
  for (let part = value.length - 1; part >= 0; part--) {
    storeLanes(b, at, offset + 16 * part, value[part]!, lanesOf(group, part));
  }
}

/** The vectors of a group at a pointer plus an offset, or zeros where there is no pointer. */
export function loadGroup(
  b: FunctionBuilder,
  group: ChannelGroup,
  at: Local | undefined,
  offset: number,
): Lanes {
  return Array.from({ length: group.vectors }, (_, part) => {
    const vector = b.local('v128');
    if (at === undefined) b.f32x4(0);
    else loadLanes(b, at, offset + 16 * part, lanesOf(group, part));
    b.set(vector);
    return vector;
  });
}
