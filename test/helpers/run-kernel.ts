/**
 * Runs a kernel on plain arrays: allocates a heap for the arguments that its family declares, fills it,
 * calls the kernel and reads the results back.
 *
 * An argument with a view takes and gives a plain array [N, H, W, C]: the pixels are written to where the
 * view has them, the halo is zeros, and what belongs to nobody (gaps between pixels, the space between
 * buffers, outputs and scratch before they are written) is NaN. Afterwards everything but outputs and scratch
 * must be as it was.
 */
import assert from 'node:assert/strict';
import {
  type BufferArg,
  type Heap,
  heapOf,
  isBuffer,
  type KernelFamily,
  type KernelSpec,
} from '../../src/kernels/kernel.ts';
import type { View } from '../../src/tensor/view.ts';
import type { Values } from './oracle.ts';

export interface RunOptions<S extends KernelSpec> {
  /** Samples; default 1. */
  readonly count?: number;
  /** Views by argument name; default: the spec's field of that name, where it is a view. */
  readonly views?: Readonly<Record<string, View>>;
  /** Values of the arguments of access 'literal', by name; default 0. */
  readonly literals?: Readonly<Record<string, number>>;
  /** What to run instead of the family's scalar kernel. */
  readonly bind?: KernelFamily<S>['bind'];
}

interface Placed {
  readonly arg: BufferArg;
  readonly view: View | undefined;
  /** Byte offset of the buffer's origin. */
  readonly origin: number;
}

/** The results: the contents of each 'out' and 'inout' argument, in its own element type. */
export type RunResults = Readonly<Record<string, Heap[keyof Heap]>>;

const BYTES = { f32: 4, f64: 8, i32: 4, u8: 1 } as const;
const GUARD_BYTES = 64;
/** A NaN that no operation produces. */
const CANARY = 0x7fcacaca;

/** Runs the kernel of `spec` on `arrays`, by argument name; 'out' and 'scratch' arguments need none. */
export function runKernel<S extends KernelSpec>(
  family: KernelFamily<S>,
  spec: S,
  arrays: Readonly<Record<string, Values>>,
  options: RunOptions<S> = {},
): RunResults {
  const count = options.count ?? 1;
  const args = family.args(spec);
  const { placed, bytes } = place(args.filter(isBuffer), spec, options, count);
  const heap = heapOf(new ArrayBuffer(bytes));
  heap.i32.fill(CANARY);
  const writable = new Uint8Array(bytes);
  for (const buffer of placed.values()) {
    fill(heap, buffer, arrays[buffer.arg.name], count);
    if (buffer.arg.access !== 'in')
      forEachElement(buffer, count, (at) => writable.fill(1, at, at + size(buffer)));
  }
  const before = heap.u8.slice();
  const bind = options.bind ?? family.bind;
  bind(
    spec,
    heap,
  )(
    ...args.map((arg) => {
      if (isBuffer(arg)) return placed.get(arg.name)!.origin;
      return arg.access === 'count' ? count : (options.literals?.[arg.name] ?? 0);
    }),
  );
  for (let i = 0; i < bytes; i++) {
    if (heap.u8[i] !== before[i] && writable[i] === 0)
      assert.fail(`${spec.kind} wrote to ${locate(placed, i)}`);
  }
  const outputs = [...placed.values()].filter(({ arg }) => arg.access === 'out' || arg.access === 'inout');
  return Object.fromEntries(outputs.map((buffer) => [buffer.arg.name, read(heap, buffer, count)]));
}

function place<S extends KernelSpec>(
  buffers: readonly BufferArg[],
  spec: S,
  { views }: RunOptions<S>,
  count: number,
): { placed: Map<string, Placed>; bytes: number } {
  const placed = new Map<string, Placed>();
  let top = GUARD_BYTES;
  for (const arg of buffers) {
    const field = (spec as unknown as Record<string, unknown>)[arg.name];
    const view = views?.[arg.name] ?? (isView(field) ? field : undefined);
    const origin = Math.ceil(top / 8) * 8 + (arg.lead ?? 0) * BYTES[arg.type];
    placed.set(arg.name, { arg, view, origin });
    top = origin + arg.length(count) * BYTES[arg.type] + GUARD_BYTES;
  }
  return { placed, bytes: Math.ceil(top / 8) * 8 };
}

function isView(field: unknown): field is View {
  return typeof field === 'object' && field !== null && 'pixelStride' in field;
}

function size({ arg }: Placed): number {
  return BYTES[arg.type];
}

/** Calls `visit` with the byte offset of each element that a plain array holds, in its order. */
function forEachElement(buffer: Placed, count: number, visit: (byte: number, index: number) => void): void {
  const { arg, view, origin } = buffer;
  if (view === undefined) {
    for (let i = 0; i < arg.length(count); i++) visit(origin + i * size(buffer), i);
    return;
  }
  forEachPixel(view, count, 0, (at, index) => {
    for (let c = 0; c < view.channels; c++) visit(origin + 4 * (at + c), index * view.channels + c);
  });
}

/** Calls `visit` with the element and the running index of each pixel, `rim` pixels around included. */
function forEachPixel(
  view: View,
  count: number,
  rim: number,
  visit: (at: number, index: number) => void,
): void {
  let index = 0;
  for (let n = 0; n < count; n++) {
    for (let y = -rim; y < view.height + rim; y++) {
      for (let x = -rim; x < view.width + rim; x++) {
        visit(n * view.imageStride + y * view.rowStride + x * view.pixelStride, index++);
      }
    }
  }
}

function fill(heap: Heap, buffer: Placed, values: Values | undefined, count: number): void {
  const { arg, view, origin } = buffer;
  if (view !== undefined) {
    forEachPixel(view, count, view.halo, (at) =>
      heap.f32.fill(0, origin / 4 + at, origin / 4 + at + view.channels),
    );
  }
  if (values === undefined) {
    assert.ok(arg.access === 'out' || arg.access === 'scratch', `argument ${arg.name} needs an array`);
    // An output's pixels start as NaN, so that one that is never written shows.
    if (view !== undefined) forEachElement(buffer, count, (at) => heap.i32.fill(CANARY, at / 4, at / 4 + 1));
    return;
  }
  let length = 0;
  forEachElement(buffer, count, (at, index) => {
    heap[arg.type][at / size(buffer)] = values[index]!;
    length++;
  });
  assert.equal(values.length, length, `argument ${arg.name}: length of its array`);
}

function read(heap: Heap, buffer: Placed, count: number): Heap[keyof Heap] {
  const values: number[] = [];
  forEachElement(buffer, count, (at) => values.push(heap[buffer.arg.type][at / size(buffer)]!));
  const array = heap[buffer.arg.type].slice(0, values.length);
  array.set(values);
  return array;
}

function locate(placed: ReadonlyMap<string, Placed>, byte: number): string {
  const after = [...placed.values()].filter(({ origin }) => origin <= byte).at(-1);
  if (after === undefined) return `byte ${byte}, before the first buffer's origin`;
  const element = Math.floor((byte - after.origin) / size(after));
  return `element ${element} from the origin of ${after.arg.name}, which it may not write`;
}
