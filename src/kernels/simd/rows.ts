/**
 * Loops over the elements of several views at once: what the elementwise SIMD kernels share.
 *
 * A batch is cut into **runs**, the longest stretches that lie without a gap in every view (pixels, rows or
 * whole images), and a run into **pieces**: vectors of four elements in adjacent pairs, so that
 * revectorization can fuse them, and at the end of a run single elements, in lane 0 of a vector.
 */
import { denseView, type View } from '../../tensor/view.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';

/** A buffer that is walked: the parameter that holds its origin's byte offset, and its layout. */
export interface Walked {
  readonly origin: Local;
  readonly view: View;
}

/** Four elements or one, `offset` bytes behind the pointers. */
export interface Piece {
  readonly offset: number;
  readonly lanes: 4 | 1;
}

/** A loop over one dimension: how often, and by how many bytes each pointer advances. */
export interface Dimension {
  readonly extent: number;
  readonly stepBytes: readonly number[];
}

/** A layout whose pixels all are one and the same: a vector of `channels` elements, read by every pixel. */
export function broadcastView(like: View): View {
  return { ...like, pixelStride: 0, rowStride: 0, imageStride: 0, halo: 0 };
}

/** A layout without halo or gaps, for images of this size. */
export function packedView({ height, width, channels }: View): View {
  return denseView(height, width, channels);
}

/** Emits `body` for every run, in the order n, y, x: a pointer a buffer, and the elements of a run. */
export function forEachRun(
  b: FunctionBuilder,
  buffers: readonly Walked[],
  count: Local,
  body: (pointers: readonly Local[], length: number) => void,
): void {
  const views = buffers.map((buffer) => buffer.view);
  const { height, width, channels } = views[0]!;
  let length = channels;
  const outer: Dimension[] = [];
  for (const [extent, stride] of [
    [width, 'pixelStride'],
    [height, 'rowStride'],
  ] as const) {
    const steps = views.map((view) => view[stride]);
    if (extent === 1) continue;
    if (outer.length === 0 && steps.every((step) => step === length)) length *= extent;
    else outer.unshift({ extent, stepBytes: steps.map((step) => step * 4) });
  }
  const pointers = startPointers(b, buffers);
  forEachImage(b, buffers, pointers, count, () => nest(b, outer, pointers, () => body(pointers, length)));
}

/** Emits `body` for every pixel, in the order n, y, x: pointers to its channel 0. */
export function forEachPixel(
  b: FunctionBuilder,
  buffers: readonly Walked[],
  count: Local,
  body: (pointers: readonly Local[]) => void,
): void {
  const { height, width } = buffers[0]!.view;
  const outer = [
    { extent: height, stepBytes: buffers.map(({ view }) => view.rowStride * 4) },
    { extent: width, stepBytes: buffers.map(({ view }) => view.pixelStride * 4) },
  ].filter(({ extent }) => extent > 1);
  const pointers = startPointers(b, buffers);
  forEachImage(b, buffers, pointers, count, () => nest(b, outer, pointers, () => body(pointers)));
}

/** Emits `body` for each of `count` images, advancing a pointer a buffer. */
export function forEachImage(
  b: FunctionBuilder,
  buffers: readonly Walked[],
  pointers: readonly Local[],
  count: Local,
  body: () => void,
): void {
  b.forRange(b.local('i32', 'n'), count, () => {
    body();
    pointers.forEach((pointer, i) => {
      b.advance(pointer, buffers[i]!.view.imageStride * 4);
    });
  });
}

/** A pointer a buffer, at its origin. */
export function startPointers(b: FunctionBuilder, buffers: readonly Walked[]): readonly Local[] {
  return buffers.map(({ origin }) => {
    const pointer = b.local('i32', `${origin.name}At`);
    b.get(origin).set(pointer);
    return pointer;
  });
}

/**
 * Emits `body` for groups of pieces that cover `length` elements from the pointers on: pairs of neighbouring
 * vectors, a last vector, single elements. At most `vectors` vectors are unrolled. The pointers end where
 * they began.
 */
export function forEachPiece(
  b: FunctionBuilder,
  pointers: readonly Local[],
  length: number,
  body: (pieces: readonly Piece[]) => void,
  vectors = 4,
): void {
  const chunk = vectors * 4;
  const turns = Math.floor(length / chunk);
  if (turns < 2) {
    for (const group of pieceGroups(length)) body(group);
    return;
  }
  nest(b, [{ extent: turns, stepBytes: pointers.map(() => chunk * 4) }], pointers, () => {
    for (const group of pieceGroups(chunk)) body(group);
  });
  const done = turns * chunk * 4;
  for (const group of pieceGroups(length - turns * chunk)) {
    body(group.map(({ offset, lanes }) => ({ offset: offset + done, lanes })));
  }
}

/** Pushes a piece of a buffer; the lanes beyond a single element are 0. */
export function loadPiece(b: FunctionBuilder, pointer: Local, { offset, lanes }: Piece): void {
  b.get(pointer).memory(lanes === 4 ? 'v128.load' : 'v128.load32_zero', offset);
}

/** Stores the vector in `value`, or its lane 0 to a single element. */
export function storePiece(b: FunctionBuilder, pointer: Local, piece: Piece, value: Local): void {
  b.get(pointer).get(value);
  if (piece.lanes === 4) b.memory('v128.store', piece.offset);
  else b.memoryLane('v128.store32_lane', 0, piece.offset);
}

/**
 * Emits output = value(inputs), element by element, or output + value where `accumulate`; the output may be one
 * of the inputs. `value` gets functions that push a piece of each input, and leaves one vector on the stack.
 */
export function mapElements(
  b: FunctionBuilder,
  inputs: readonly Walked[],
  output: Walked,
  count: Local,
  accumulate: boolean,
  value: (loads: readonly (() => void)[], piece: Piece) => void,
): void {
  const results = b.localArray('v128', 2, 'result');
  forEachRun(b, [...inputs, output], count, (pointers, length) => {
    const target = pointers[inputs.length]!;
    forEachPiece(b, pointers, length, (pieces) => {
      pieces.forEach((piece, i) => {
        if (accumulate) loadPiece(b, target, piece);
        value(
          inputs.map((_, input) => () => loadPiece(b, pointers[input]!, piece)),
          piece,
        );
        if (accumulate) b.op('f32x4.add');
        b.set(results[i]!);
      });
      pieces.forEach((piece, i) => {
        storePiece(b, target, piece, results[i]!);
      });
    });
  });
}

/** Writes +0 to `length` elements from `origin` on. */
export function clearElements(b: FunctionBuilder, origin: Local, length: number): void {
  const pointer = b.local('i32', `${origin.name}At`);
  b.get(origin).set(pointer);
  clearPieces(b, pointer, length);
}

/** Writes +0 to every element of `count` images; the halo stays. */
export function clearImages(b: FunctionBuilder, buffer: Walked, count: Local): void {
  forEachRun(b, [buffer], count, ([pointer], length) => clearPieces(b, pointer!, length));
}

function clearPieces(b: FunctionBuilder, pointer: Local, length: number): void {
  const zero = b.local('v128', 'zero');
  b.f32x4(0).set(zero);
  forEachPiece(b, [pointer], length, (pieces) => {
    for (const piece of pieces) storePiece(b, pointer, piece, zero);
  });
}

/** Nested loops, the outermost first; the pointers end where they began. */
export function nest(
  b: FunctionBuilder,
  dimensions: readonly Dimension[],
  pointers: readonly Local[],
  body: () => void,
): void {
  const [first, ...inner] = dimensions;
  if (first === undefined) {
    body();
    return;
  }
  const move = (times: number) => {
    pointers.forEach((pointer, i) => {
      b.advance(pointer, times * first.stepBytes[i]!);
    });
  };
  b.forRange(
    b.local('i32', 'turn'),
    first.extent,
    () => {
      nest(b, inner, pointers, body);
      move(1);
    },
    { test: 'last' },
  );
  move(-first.extent);
}

/** The pieces of `length` elements from offset 0 on, vectors in pairs. */
function pieceGroups(length: number): Piece[][] {
  const groups: Piece[][] = [];
  const vectors = Math.floor(length / 4);
  for (let v = 0; v < vectors; v += 2) {
    const pair: Piece[] = [{ offset: v * 16, lanes: 4 }];
    if (v + 1 < vectors) pair.push({ offset: v * 16 + 16, lanes: 4 });
    groups.push(pair);
  }
  for (let i = vectors * 4; i < length; i++) groups.push([{ offset: i * 4, lanes: 1 }]);
  return groups;
}
