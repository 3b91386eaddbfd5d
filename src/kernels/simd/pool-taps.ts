/**
 * The taps of one pooling window, as emitted code sees them; lanes are neighbouring channels. A window that
 * lies inside the image has its taps unrolled, at constant offsets from its corner; one that reaches over
 * the border, or has many taps, loops over the rows and columns that lie inside.
 */
import type { PoolWindow } from '../../tensor/pooling.ts';
import type { View } from '../../tensor/view.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { forEachPiece, loadPiece, type Piece, storePiece } from './rows.ts';

/** A tap: for each input buffer a pointer, and bytes behind it. */
export interface Tap {
  readonly pointers: readonly Local[];
  readonly offsets: readonly number[];
}

/** The current window. */
export interface WindowSite {
  /** A pointer an output buffer, at channel 0 of the window's output. */
  readonly outputs: readonly Local[];
  /** Emits `body` for groups of neighbouring channels until all are covered. */
  forEachPiece(body: (pieces: readonly Piece[]) => void): void;
  /** Emits `body` for every tap inside the image, in row-major order. */
  forEachTap(body: (tap: Tap) => void): void;
  /** Pushes the number of taps inside the image, in all lanes. */
  pushTapCount(): void;
}

/** Where the current window is: its corner's row and column, and pointers to its corner and its output. */
export interface Corner {
  readonly y: Local;
  readonly x: Local;
  /** One an input buffer; not to be dereferenced where the corner lies outside the image. */
  readonly inputs: readonly Local[];
  readonly outputs: readonly Local[];
}

/** Vectors that are worked on side by side. */
const VECTORS = 2;

/** Pushes a piece of input buffer `buffer` at a tap. */
export function pushTap(b: FunctionBuilder, tap: Tap, buffer: number, piece: Piece): void {
  loadPiece(b, tap.pointers[buffer]!, shifted(piece, tap.offsets[buffer]!));
}

/** Stores a piece of input buffer `buffer` at a tap. */
export function storeTap(b: FunctionBuilder, tap: Tap, buffer: number, piece: Piece, value: Local): void {
  storePiece(b, tap.pointers[buffer]!, shifted(piece, tap.offsets[buffer]!), value);
}

function shifted({ offset, lanes }: Piece, bytes: number): Piece {
  return { offset: offset + bytes, lanes };
}

/** A window inside the image. `views` are those of the input buffers. */
export function unrolledSite(
  b: FunctionBuilder,
  { height, width }: PoolWindow,
  views: readonly View[],
  { inputs, outputs }: Corner,
): WindowSite {
  return {
    outputs,
    forEachPiece: (body) => forEachPiece(b, [...inputs, ...outputs], views[0]!.channels, body, VECTORS),
    forEachTap(body) {
      for (let ky = 0; ky < height; ky++) {
        for (let kx = 0; kx < width; kx++) {
          const offsets = views.map((view) => (ky * view.rowStride + kx * view.pixelStride) * 4);
          body({ pointers: inputs, offsets });
        }
      }
    },
    pushTapCount() {
      b.f32x4(height * width);
    },
  };
}

/** The part of a window along one axis that lies inside the image. */
interface Range {
  /** Taps before the image. */
  readonly skip: Local;
  /** Taps inside, at least one. */
  readonly inside: Local;
}

/** A window that may reach over the border, with the `emitClip` that is to come before its other code. */
export function clippedSite(
  b: FunctionBuilder,
  window: PoolWindow,
  views: readonly View[],
  { y, x, inputs, outputs }: Corner,
): WindowSite & { readonly emitClip: () => void } {
  const { height, width, channels } = views[0]!;
  const rows: Range = { skip: b.local('i32', 'skipY'), inside: b.local('i32', 'rows') };
  const columns: Range = { skip: b.local('i32', 'skipX'), inside: b.local('i32', 'columns') };
  const emitTaps = tapLoops(b, views, inputs, rows, columns);
  return {
    emitClip() {
      clip(b, y, window.height, height, rows);
      clip(b, x, window.width, width, columns);
    },
    outputs,
    forEachPiece: (body) => forEachPiece(b, [...inputs, ...outputs], channels, body, VECTORS),
    forEachTap: emitTaps,
    pushTapCount() {
      b.get(rows.inside).get(columns.inside).op('i32.mul').op('f32.convert_i32_s').op('f32x4.splat');
    },
  };
}

/** skip = max(0, -corner), inside = min(size, extent - corner) - skip */
function clip(b: FunctionBuilder, corner: Local, size: number, extent: number, range: Range): void {
  const { skip, inside } = range;
  b.i32(0).get(corner).op('i32.sub').i32(0);
  b.get(corner).i32(0).op('i32.lt_s').select('i32').set(skip);
  b.i32(extent).get(corner).op('i32.sub').tee(inside).i32(size);
  b.get(inside).i32(size).op('i32.lt_s').select('i32').get(skip).op('i32.sub').set(inside);
}

/** Declares pointers to the current tap and returns what emits `body` in loops over the taps inside. */
function tapLoops(
  b: FunctionBuilder,
  views: readonly View[],
  inputs: readonly Local[],
  rows: Range,
  columns: Range,
): (body: (tap: Tap) => void) => void {
  const [ky, kx] = b.localArray('i32', 2, 'k') as [Local, Local];
  const pointers = views.map(() => b.local('i32', 'tap'));
  const tap = { pointers, offsets: views.map(() => 0) };
  const pushTimes = (times: Local, elements: number) =>
    b
      .get(times)
      .i32(elements * 4)
      .op('i32.mul');
  return (body) => {
    views.forEach((view, i) => {
      b.get(inputs[i]!);
      pushTimes(rows.skip, view.rowStride).op('i32.add');
      pushTimes(columns.skip, view.pixelStride).op('i32.add').set(pointers[i]!);
    });
    const toNextColumn = () => {
      views.forEach((view, i) => {
        b.advance(pointers[i]!, view.pixelStride * 4);
      });
    };
    const toNextRow = () => {
      views.forEach((view, i) => {
        b.advance(pointers[i]!, view.rowStride * 4).get(pointers[i]!);
        pushTimes(columns.inside, view.pixelStride).op('i32.sub').set(pointers[i]!);
      });
    };
    const emitColumn = () => {
      body(tap);
      toNextColumn();
    };
    const emitRow = () => {
      b.forRange(kx, columns.inside, emitColumn, { test: 'last' });
      toNextRow();
    };
    b.forRange(ky, rows.inside, emitRow, { test: 'last' });
  };
}
