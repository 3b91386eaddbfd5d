/**
 * Covers a grid of pixels with register tiles: all pixels of one panel of up to 16 outputs, for one block of
 * the reduction. Tiles are as even as they can be: rows of 14 pixels become 4 + 4 + 3 + 3; where rows are
 * shorter than a tile, a tile takes several rows; single-pixel images are taken several at a time.
 */
import type { FunctionBuilder, Local } from './assembler/index.ts';
import type { GridAxis, TapGrid } from './conv2d-taps.ts';
import { evenParts, type Level, walk, walkTiles } from './micro-loops.ts';
import { addToTile, declareTile, reduceTile, startTile, storeTile, tileRows } from './micro-tile.ts';
import type { Target } from './twin.ts';

/** Pointers to an image's first pixel in the source and the output, to the weights of the block and to the bias. */
export interface PixelPointers {
  readonly source: Local;
  readonly weight: Local;
  readonly output: Local;
  readonly bias: Local | undefined;
}

/** What happens to every pixel: its sums' start, a part of the reduction, the end. */
export interface Stage {
  readonly start: 'zero' | 'bias' | 'output';
  readonly levels: readonly Level[];
  readonly relu: boolean;
  /** Whether the sums are added to what the output holds; excludes `relu`. */
  readonly adds?: boolean;
}

/** Emits one stage over all pixels of a grid of one image, for `lanes` outputs. */
export function emitGrid(
  b: FunctionBuilder,
  { vertical, horizontal }: TapGrid,
  at: PixelPointers,
  lanes: number,
  stage: Stage,
  target: Target,
): void {
  const columns = evenParts(horizontal.pixels, tileRows(lanes, target));
  const widest = Math.max(...columns.map((part) => part.size));
  const rows = evenParts(vertical.pixels, Math.floor(tileRows(lanes, target) / widest));
  for (const row of rows) {
    walk(b, row.count, axisCursors(vertical, at, row), ([rowSource, rowOutput]) => {
      for (const column of columns) {
        const from = { source: rowSource!, output: rowOutput! };
        walk(b, column.count, axisCursors(horizontal, from, column), ([source, output]) => {
          const offsets = (y: number, x: number) =>
            Array.from(
              { length: row.size * column.size },
              (_, i) => Math.floor(i / column.size) * y + (i % column.size) * x,
            );
          const sources = offsets(vertical.sourceStep, horizontal.sourceStep);
          const outputs = offsets(vertical.outputStep, horizontal.outputStep);
          emitTile(b, { ...at, source: source!, output: output! }, sources, outputs, lanes, stage, target);
        });
      }
    });
  }
}

/** Emits one stage over `count` images of a single pixel each, `sourceStep` and `outputStep` bytes apart. */
export function emitSamples(
  b: FunctionBuilder,
  count: Local,
  steps: { readonly source: number; readonly output: number },
  at: PixelPointers,
  lanes: number,
  stage: Stage,
  target: Target,
): void {
  const cursors = [
    { from: at.source, step: steps.source },
    { from: at.output, step: steps.output },
  ];
  walkTiles(b, count, tileRows(lanes, target), cursors, (size, [source, output]) => {
    const offsets = (step: number) => Array.from({ length: size }, (_, i) => i * step);
    const from = { ...at, source: source!, output: output! };
    emitTile(b, from, offsets(steps.source), offsets(steps.output), lanes, stage, target);
  });
}

function axisCursors(
  axis: GridAxis,
  from: { readonly source: Local; readonly output: Local },
  part: { readonly start: number; readonly size: number },
) {
  return [
    {
      from: from.source,
      offset: axis.sourceStart + part.start * axis.sourceStep,
      step: part.size * axis.sourceStep,
    },
    {
      from: from.output,
      offset: axis.outputStart + part.start * axis.outputStep,
      step: part.size * axis.outputStep,
    },
  ];
}

function emitTile(
  b: FunctionBuilder,
  at: PixelPointers,
  sources: readonly number[],
  outputs: readonly number[],
  lanes: number,
  stage: Stage,
  target: Target,
): void {
  const tile = declareTile(b, outputs.length, lanes);
  if (stage.start === 'zero') startTile(b, tile, { kind: 'zero' });
  else if (stage.start === 'bias') startTile(b, tile, { kind: 'shared', at: at.bias! });
  else startTile(b, tile, { kind: 'rows', at: at.output, offsets: outputs });
  if (stage.levels.length > 0) {
    const factors = { splat: at.source, rowOffsets: sources, vector: at.weight, padded: true };
    reduceTile(b, tile, factors, stage.levels, target);
  }
  if (stage.adds) addToTile(b, tile, at.output, outputs);
  storeTile(b, tile, at.output, outputs, stage.relu);
}
