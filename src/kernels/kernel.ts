/**
 * The contract of a kernel family.
 *
 * A **spec** is plain data: a `kind` and everything that is constant for a model (shapes, views, flags).
 * A **kernel** is what a spec binds to: a function of i32 arguments (byte offsets into the heap, counts,
 * plain integers) that returns nothing. The scalar kernel (`bind`) is plain TypeScript, works in f32 by
 * rounding every operation with Math.fround, and defines the bits. Its twin in simd/ carries the same
 * file name and equals it bit for bit (NaN equals NaN).
 */

/** Plain data that says which kernel, for which shapes. */
export interface KernelSpec {
  readonly kind: string;
}

/** One memory seen as several element types; all views start at byte 0 of the same buffer. */
export interface Heap {
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

/** A kernel bound to a memory. */
export type KernelFunction = (...args: number[]) => void;

/** A buffer argument: the byte offset of its origin. */
export interface BufferArg {
  readonly name: string;
  /**
   * 'out' is written without being read; 'inout' is both read and written; 'scratch' is room to work in, whose
   * contents mean nothing before and after.
   */
  readonly access: 'in' | 'out' | 'inout' | 'scratch';
  readonly type: 'f32' | 'f64' | 'i32' | 'u8';
  /** Elements before the origin that may be read (a view's halo). */
  readonly lead?: number;
  /** Elements from the origin on, for `count` samples. */
  length(count: number): number;
}

/** A plain integer argument; 'count' is the number of samples, 'literal' anything else. */
export interface ScalarArg {
  readonly name: string;
  readonly access: 'count' | 'literal';
}

export type KernelArg = BufferArg | ScalarArg;

/** A kernel family: one file in kernels/, and at most one twin of the same name in kernels/simd/. */
export interface KernelFamily<S extends KernelSpec = KernelSpec> {
  readonly kind: S['kind'];
  /** The arguments in order; what tests, canaries and the self-check allocate. */
  args(spec: S): readonly KernelArg[];
  /** The scalar kernel. */
  bind(spec: S, heap: Heap): KernelFunction;
  /** Floating-point operations for `count` samples, a multiply and an add counting as two. */
  flops?(spec: S, count: number): number;
}

/** All views of one buffer. */
export function heapOf(buffer: ArrayBufferLike): Heap {
  return {
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    i32: new Int32Array(buffer),
    u8: new Uint8Array(buffer),
  };
}

/** Whether an argument is a buffer. */
export function isBuffer(arg: KernelArg): arg is BufferArg {
  return arg.access !== 'count' && arg.access !== 'literal';
}

/** Shorthand for an f32 buffer argument. */
export function f32Buffer(
  name: string,
  access: BufferArg['access'],
  length: (count: number) => number,
  lead = 0,
): BufferArg {
  return { name, access, type: 'f32', lead, length };
}
