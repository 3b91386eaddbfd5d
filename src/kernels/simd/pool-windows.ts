/**
 * Loops over the windows of a pooling, in row-major order of outputs: what the SIMD pooling kernels share.
 *
 * A small window that lies inside the image has its taps unrolled, at constant offsets from its corner; one
 * that reaches over the border, or has many taps, loops over the taps that lie inside. Code is emitted for
 * each of the two cases that occur; lanes are neighbouring channels.
 */
import { type PoolWindow, poolOutputSize } from '../../tensor/pooling.ts';
import type { View } from '../../tensor/view.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import {
  forEachImage,
  forEachPiece,
  loadPiece,
  nest,
  type Piece,
  startPointers,
  storePiece,
  type Walked,
} from './rows.ts';

/** A tap of the current window: for each input buffer a pointer, and bytes behind it. */
export interface Tap {
  readonly pointers: readonly Local[];
  readonly offsets: readonly number[];
}

/** The current window, as the emitted code sees it. */
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

/** Windows with more taps than this are not unrolled. */
const MOST_UNROLLED_TAPS = 16;

/** Emits `body` for the windows of `count` images. All inputs are of one size, and all outputs. */
export function forEachWindow(
  b: FunctionBuilder,
  window: PoolWindow,
  inputs: readonly Walked[],
  outputs: readonly Walked[],
  count: Local,
  body: (site: WindowSite) => void,
): void {
  const { height, width } = inputs[0]!.view;
  const [outHeight, outWidth] = poolOutputSize(window, height, width);
  const { strideY, strideX, padding } = window;
  const buffers = [...inputs, ...outputs];
  const pointers = startPointers(b, buffers);
  const inputPointers = pointers.slice(0, inputs.length);
  const outputPointers = pointers.slice(inputs.length);
  // Where the window's corner is; a corner outside the image is never dereferenced.
  const y = b.local('i32', 'y');
  const x = b.local('i32', 'x');
  b.i32(-padding.top).set(y).i32(-padding.left).set(x);
  inputPointers.forEach((pointer, i) => {
    const { rowStride, pixelStride } = inputs[i]!.view;
    b.advance(pointer, -(padding.top * rowStride + padding.left * pixelStride) * 4);
  });
  const rows = [
    ...inputs.map(({ view }) => strideY * view.rowStride * 4),
    ...outputs.map(({ view }) => view.rowStride * 4),
  ];
  const columns = [
    ...inputs.map(({ view }) => strideX * view.pixelStride * 4),
    ...outputs.map(({ view }) => view.pixelStride * 4),
  ];
  const dimensions = [
    { extent: outHeight, stepBytes: [...rows, strideY, 0] },
    { extent: outWidth, stepBytes: [...columns, 0, strideX] },
  ];
  const views = inputs.map(({ view }) => view);
  const corner = { y, x, inputs: inputPointers, outputs: outputPointers };
  const emitUnrolled = () => body(unrolledSite(b, window, views, corner));
  const emitClipped = clippedEmitter(b, window, views, corner, body);
  forEachImage(b, buffers, pointers, count, () => {
    nest(b, dimensions, [...pointers, y, x], () => {
      if (window.height * window.width > MOST_UNROLLED_TAPS) emitClipped();
      else if (allInside(window, outHeight, outWidth, height, width)) emitUnrolled();
      else if (window.height > height || window.width > width) emitClipped();
      else {
        b.get(y)
          .i32(height - window.height)
          .op('i32.le_u');
        b.get(x)
          .i32(width - window.width)
          .op('i32.le_u')
          .op('i32.and');
        b.if(emitUnrolled, emitClipped);
      }
    });
  });
}

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

interface Corner {
  readonly y: Local;
  readonly x: Local;
  readonly inputs: readonly Local[];
  readonly outputs: readonly Local[];
}

function allInside(
  { height, width, strideY, strideX, padding }: PoolWindow,
  outHeight: number,
  outWidth: number,
  inHeight: number,
  inWidth: number,
): boolean {
  return (
    padding.top === 0 &&
    padding.left === 0 &&
    (outHeight - 1) * strideY + height <= inHeight &&
    (outWidth - 1) * strideX + width <= inWidth
  );
}

/** A window inside the image: one tap after the other, without loops. */
function unrolledSite(
  b: FunctionBuilder,
  { height, width }: PoolWindow,
  views: readonly View[],
  { inputs, outputs }: Corner,
): WindowSite {
  return {
    outputs,
    forEachPiece: (body) => forEachPiece(b, [...inputs, ...outputs], views[0]!.channels, body, 2),
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

/** Declares the locals of a window that is clipped to the image, and returns what emits its code. */
function clippedEmitter(
  b: FunctionBuilder,
  window: PoolWindow,
  views: readonly View[],
  { y, x, inputs, outputs }: Corner,
  body: (site: WindowSite) => void,
): () => void {
  const { height, width, channels } = views[0]!;
  const [ky, kx] = [b.local('i32', 'ky'), b.local('i32', 'kx')];
  const [rows, columns] = [b.local('i32', 'rows'), b.local('i32', 'columns')];
  const [skipY, skipX] = [b.local('i32', 'skipY'), b.local('i32', 'skipX')];
  const taps = views.map(() => b.local('i32', 'tap'));
  const clip = (corner: Local, size: number, extent: number, skip: Local, rest: Local) => {
    // skip = max(0, -corner); rest = min(size, extent - corner) - skip
    b.i32(0).get(corner).op('i32.sub').i32(0).get(corner).i32(0).op('i32.lt_s').select('i32').set(skip);
    b.i32(extent).get(corner).op('i32.sub').set(rest);
    b.get(rest).i32(size).get(rest).i32(size).op('i32.lt_s').select('i32').get(skip).op('i32.sub').set(rest);
  };
  const site: WindowSite = {
    outputs,
    forEachPiece: (emit) => forEachPiece(b, [...inputs, ...outputs], channels, emit, 2),
    forEachTap(emit) {
      views.forEach((view, i) => {
        b.get(inputs[i]!)
          .get(skipY)
          .i32(view.rowStride * 4)
          .op('i32.mul')
          .op('i32.add');
        b.get(skipX)
          .i32(view.pixelStride * 4)
          .op('i32.mul')
          .op('i32.add')
          .set(taps[i]!);
      });
      const offsets = views.map(() => 0);
      const row = () => {
        b.forRange(
          kx,
          columns,
          () => {
            emit({ pointers: taps, offsets });
            views.forEach((view, i) => {
              b.advance(taps[i]!, view.pixelStride * 4);
            });
          },
          { test: 'last' },
        );
        views.forEach((view, i) => {
          b.get(taps[i]!)
            .i32(view.rowStride * 4)
            .get(columns)
            .i32(view.pixelStride * 4)
            .op('i32.mul');
          b.op('i32.sub').op('i32.add').set(taps[i]!);
        });
      };
      b.forRange(ky, rows, row, { test: 'last' });
    },
    pushTapCount() {
      b.get(rows).get(columns).op('i32.mul').op('f32.convert_i32_s').op('f32x4.splat');
    },
  };
  return () => {
    clip(y, window.height, height, skipY, rows);
    clip(x, window.width, width, skipX, columns);
    body(site);
  };
}
