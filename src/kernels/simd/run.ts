/**
 * Runs: loops over consecutive f32, eight at a time as two adjacent vectors (which revectorization can fuse),
 * then four, then one by one. The same body serves all: a part is a whole vector, or one element in lane 0.
 */
import { hasContiguousRows, type View } from '../../tensor/view.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { repeat } from './micro-loops.ts';

/** A piece of a run that fits a vector. */
export interface Part {
  /** Bytes from the run's pointers. */
  readonly offset: number;
  readonly lanes: 1 | 4;
}

/** Emits the work on one or two parts; loads of all parts come before the first store. */
export type RunBody = (parts: readonly Part[]) => void;

const PAIR: readonly Part[] = [
  { offset: 0, lanes: 4 },
  { offset: 16, lanes: 4 },
];
const VECTOR: readonly Part[] = [{ offset: 0, lanes: 4 }];
const ELEMENT: readonly Part[] = [{ offset: 0, lanes: 1 }];

/** Longest run of a known length that becomes straight code instead of a loop, in elements. */
const LONGEST_UNROLLED = 32;

/**
 * Works through `length` elements, a number or an i32 local. The `pointers` (i32 locals) move along and lie
 * behind the run at the end.
 */
export function emitRun(
  b: FunctionBuilder,
  length: number | Local,
  pointers: readonly Local[],
  body: RunBody,
): void {
  const step = (parts: readonly Part[]) => {
    body(parts);
    const elements = parts.length * parts[0]!.lanes;
    for (const pointer of pointers) b.advance(pointer, 4 * elements);
    return elements;
  };
  if (typeof length === 'number') emitKnownRun(b, length, step);
  else emitUnknownRun(b, length, step);
}

function emitKnownRun(b: FunctionBuilder, length: number, step: (parts: readonly Part[]) => number): void {
  let rest = length;
  if (length > LONGEST_UNROLLED) {
    b.forRange(b.local('i32', 'pairs'), Math.floor(length / 8), () => step(PAIR), { test: 'last' });
    rest = length % 8;
  }
  while (rest > 0) rest -= step(rest >= 8 ? PAIR : rest >= 4 ? VECTOR : ELEMENT);
}

function emitUnknownRun(b: FunctionBuilder, length: Local, step: (parts: readonly Part[]) => number): void {
  const rest = b.local('i32', 'rest');
  b.get(length).set(rest);
  for (const parts of [PAIR, VECTOR, ELEMENT]) {
    const elements = parts.length * parts[0]!.lanes;
    b.block((exit) => {
      b.get(rest).i32(elements).op('i32.lt_s').brIf(exit);
      b.loop((again) => {
        step(parts);
        b.get(rest).i32(elements).op('i32.sub').tee(rest).i32(elements).op('i32.ge_s').brIf(again);
      });
    });
  }
}

/** Pushes a part's elements as a vector; lanes beyond them are 0. */
export function loadPart(b: FunctionBuilder, pointer: Local, part: Part): FunctionBuilder {
  return b.get(pointer).memory(part.lanes === 4 ? 'v128.load' : 'v128.load32_zero', part.offset);
}

/** Stores a part's elements from a vector local. */
export function storePart(b: FunctionBuilder, pointer: Local, part: Part, value: Local): void {
  b.get(pointer).get(value);
  if (part.lanes === 4) b.memory('v128.store', part.offset);
  else b.memoryLane('v128.store32_lane', 0, part.offset);
}

/**
 * Works through all elements of `count` images in views of one shape, in order, by runs as long as the gaps
 * of all views allow. `origins` are the views' byte offsets; the body gets pointers to use in their place.
 */
export function emitViewRuns(
  b: FunctionBuilder,
  views: readonly View[],
  origins: readonly Local[],
  count: Local,
  body: (parts: readonly Part[], pointers: readonly Local[]) => void,
): void {
  const { height, width, channels } = views[0]!;
  const pointers = views.map((_, i) => b.local('i32', `pointer${i}`));
  origins.forEach((origin, i) => {
    b.get(origin).set(pointers[i]!);
  });
  const skip = (gapOf: (view: View) => number) => {
    views.forEach((view, i) => {
      b.advance(pointers[i]!, 4 * gapOf(view));
    });
  };
  const gaplessRow = width === 1 || views.every(hasContiguousRows);
  const gaplessImage =
    gaplessRow && (height === 1 || views.every((view) => view.rowStride === width * channels));
  const rowSpan = (view: View) => (gaplessRow ? width * channels : width * view.pixelStride);
  const imageSpan = (view: View) => (gaplessImage ? height * width * channels : height * view.rowStride);
  const run = (length: number) => emitRun(b, length, pointers, (parts) => body(parts, pointers));
  const pixel = () => {
    run(channels);
    skip((view) => view.pixelStride - channels);
  };
  const row = () => {
    if (gaplessRow) run(width * channels);
    else repeat(b, width, pixel);
    skip((view) => view.rowStride - rowSpan(view));
  };
  repeat(b, count, () => {
    if (gaplessImage) run(height * width * channels);
    else repeat(b, height, row);
    skip((view) => view.imageStride - imageSpan(view));
  });
}
