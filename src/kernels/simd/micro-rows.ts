/**
 * Covers rows of a weight gradient with register tiles: `lanes` output channels of a few rows (input channels
 * of one tap, or neighbours along the kernel's width where these follow each other in the input) at a time.
 */
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { evenParts, type Level, walk } from './micro-loops.ts';
import { declareTile, type Factors, startTile, storeTile, type Tile, tileRows } from './micro-tile.ts';
import type { Target } from './twin.ts';

/** Pointers to the input, to the output's gradient, and to the weights' gradient. */
export interface OuterPointers {
  readonly input: Local;
  readonly gradOutput: Local;
  readonly gradWeight: Local;
}

/** Where sums start: at zero, or at what gradWeight holds. */
export type RowStart = 'zero' | 'rows';

/** Carries a tile's sums through the pixels, moving the factors' pointers; undefined adds nothing. */
export type Reduction = ((tile: Tile, factors: Factors) => void) | undefined;

/**
 * Emits tiles over all rows. `rows` are nested levels, outermost first: `splat` steps through the input,
 * `vector` through gradWeight.
 */
export function emitRows(
  b: FunctionBuilder,
  rows: readonly Level[],
  at: OuterPointers,
  lanes: number,
  start: RowStart,
  reduction: Reduction,
  target: Target,
): void {
  const [level, ...inner] = rows as readonly [Level, ...Level[]];
  if (inner.length > 0) {
    const cursors = [
      { from: at.input, step: level.splat },
      { from: at.gradWeight, step: level.vector },
    ];
    walk(b, level.count, cursors, ([input, gradWeight]) => {
      emitRows(b, inner, { ...at, input: input!, gradWeight: gradWeight! }, lanes, start, reduction, target);
    });
    return;
  }
  for (const part of evenParts(level.count, tileRows(lanes, target))) {
    // A true convolution's taps are written backwards; a tile's offsets still have to count upwards.
    const back = level.vector < 0 ? (part.size - 1) * level.vector : 0;
    const cursors = [
      { from: at.input, offset: part.start * level.splat, step: part.size * level.splat },
      { from: at.gradWeight, offset: part.start * level.vector + back, step: part.size * level.vector },
    ];
    walk(b, part.count, cursors, ([input, gradWeight]) => {
      const from = { ...at, input: input!, gradWeight: gradWeight! };
      const step = { splat: level.splat, vector: level.vector };
      emitRowTile(b, part.size, step, -back, from, lanes, start, reduction);
    });
  }
}

/** Emits one tile of `size` rows; `firstRow` is where the first row lies, relative to the pointer. */
export function emitRowTile(
  b: FunctionBuilder,
  size: number,
  step: { readonly splat: number; readonly vector: number },
  firstRow: number,
  at: OuterPointers,
  lanes: number,
  start: RowStart,
  reduction: Reduction,
): void {
  const tile = declareTile(b, size, lanes);
  const offsets = Array.from({ length: size }, (_, row) => firstRow + row * step.vector);
  startTile(b, tile, start === 'zero' ? { kind: 'zero' } : { kind: 'rows', at: at.gradWeight, offsets });
  if (reduction !== undefined) {
    const splat = b.local('i32', 'splat');
    const vector = b.local('i32', 'vector');
    b.get(at.input).set(splat).get(at.gradOutput).set(vector);
    const rowOffsets = offsets.map((_, row) => row * step.splat);
    reduction(tile, { splat, vector, rowOffsets, padded: false });
  }
  storeTile(b, tile, at.gradWeight, offsets, false);
}
