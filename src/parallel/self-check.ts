/**
 * The check of 256-bit code at its first use in a process. V8's revectorization is experimental, so each kernel runs
 * on small data twice, as plain 128-bit code and as 256-bit code, and every byte of its outputs, and of the gaps
 * between them, must come out equal (NaN equals NaN).
 *
 * The reference is the plain module, not the scalar kernels: the tests hold it equal to those, V8's baseline
 * compiler has it ready in milliseconds, and where the check fails it takes over. For the notebook's training
 * program the whole check costs about 60 ms (measured), where the scalar kernels alone would take 300.
 */
import { families } from '../kernels/index.ts';
import {
  type BufferArg,
  type Heap,
  heapOf,
  isBuffer,
  type KernelFunction,
  type KernelSpec,
} from '../kernels/kernel.ts';

/** A kernel on small data: where its buffers lie from byte 0 on, inputs first. */
export interface Trial {
  readonly spec: KernelSpec;
  readonly flops: number;
  readonly args: readonly number[];
  /** Integers that a kernel reads; all other contents are arbitrary. */
  readonly integers: readonly Span[];
  readonly outputs: readonly Span[];
  /** From here on bytes are compared. */
  readonly comparedFrom: number;
  readonly bytes: number;
}

interface Span {
  readonly type: BufferArg['type'];
  readonly start: number;
  readonly end: number;
}

/** Samples where they cost little: enough for a whole tile of rows and a rest. */
const SAMPLES = 5;
const CHEAP_FLOPS = 5e6;
/** All trials of a module together, the notebook's training program being half of it. */
const MAX_FLOPS = 5e8;
const MAX_BYTES = 64 * 2 ** 20;
/** Elements of a range: pairs of vectors, a vector and a rest. */
const LENGTH = 61;
/** Bytes around outputs that must stay as they are: a vector of 256 bits and more. */
const GAP = 64;

/** What the arguments mean that are no buffers, where a kind needs more than the usual. */
// biome-ignore lint/suspicious/noExplicitAny: a table of families mixes specs of all kinds.
const SPECIAL_VALUES: Readonly<Record<string, (spec: any) => Record<string, number>>> = {
  reduceShards: ({ shards, shardSize, shardStride }) => ({
    count: shards * shardSize,
    length: Math.min(LENGTH, shardStride),
  }),
  denseWeightGradient: ({ inFeatures }) => ({ rowCount: inFeatures }),
};
const USUAL_VALUES: Readonly<Record<string, number>> = {
  length: LENGTH,
  rowStart: 0,
  key0: 0x243f6a88,
  key1: 19,
};

/**
 * The trials of a module's kernels, the cheapest first, as many as take a fraction of a second. What is left out in
 * a large network is code of the same emitters with other numbers in it.
 */
export function affordableTrials(specs: readonly KernelSpec[]): Trial[] {
  const trials = specs.map(trialOf).sort((a, b) => a.flops - b.flops);
  let spent = 0;
  return trials.filter(({ flops, bytes }) => {
    spent += flops;
    return bytes <= MAX_BYTES && spent <= MAX_FLOPS;
  });
}

/** Memory that all of the trials fit into. */
export function memoryFor(trials: readonly Trial[]): WebAssembly.Memory {
  const bytes = Math.max(1, ...trials.map((trial) => trial.bytes));
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536), maximum: 65_536, shared: true });
}

/** Lays out a kernel's trial. */
export function trialOf(spec: KernelSpec): Trial {
  const family = families[spec.kind]!;
  const args = family.args(spec);
  const values = { ...USUAL_VALUES, ...SPECIAL_VALUES[spec.kind]?.(spec) };
  const counted = args.some(({ access }) => access === 'count');
  const cheap = (family.flops?.(spec, SAMPLES) ?? 0) <= CHEAP_FLOPS;
  const count = values.count ?? (counted ? (cheap ? SAMPLES : 1) : LENGTH);
  const origins = new Map<string, number>();
  const spans: (Span & { readonly access: BufferArg['access'] })[] = [];
  let end = GAP;
  const place = (arg: BufferArg) => {
    const size = ELEMENT_BYTES[arg.type];
    const start = Math.ceil(end / GAP) * GAP;
    const origin = start + (arg.lead ?? 0) * size;
    end = origin + arg.length(count) * size;
    origins.set(arg.name, origin);
    spans.push({ type: arg.type, access: arg.access, start, end });
    end += GAP;
  };
  const buffers = args.filter(isBuffer);
  for (const arg of buffers) if (arg.access === 'in' || arg.access === 'scratch') place(arg);
  const comparedFrom = Math.ceil(end / GAP) * GAP - GAP;
  for (const arg of buffers) if (arg.access === 'out' || arg.access === 'inout') place(arg);
  return {
    spec,
    flops: family.flops?.(spec, count) ?? 0,
    args: args.map((arg) => {
      if (isBuffer(arg)) return origins.get(arg.name)!;
      return arg.access === 'count' ? count : (values[arg.name] ?? 3);
    }),
    integers: spans.filter(({ type, access }) => type === 'i32' && access !== 'out'),
    outputs: spans.filter(({ access }) => access === 'out' || access === 'inout'),
    comparedFrom,
    bytes: Math.ceil(end / 8) * 8,
  };
}

const ELEMENT_BYTES = { f32: 4, f64: 8, i32: 4, u8: 1 } as const;

/** Whether both kernels do the same on a trial's data. They must be bound to `memory`, of the trial's size at least. */
export function agree(
  trial: Trial,
  memory: WebAssembly.Memory,
  plain: KernelFunction,
  wide: KernelFunction,
): boolean {
  const heap = heapOf(memory.buffer);
  const finished = run(trial, heap, plain);
  const expected = heap.u8.slice(trial.comparedFrom, trial.bytes);
  if (run(trial, heap, wide) !== finished) return false;
  const received = heap.u8.subarray(trial.comparedFrom, trial.bytes);
  if (Buffer.compare(expected, received) === 0) return true;
  for (const { type, start, end } of trial.outputs) {
    const [from, to] = [start - trial.comparedFrom, end - trial.comparedFrom];
    if (type === 'f32' || type === 'f64') equateNaN(type, expected, received, from, to);
  }
  return Buffer.compare(expected, received) === 0;
}

/** Runs a kernel on fresh data; false where it trapped. */
function run(trial: Trial, heap: Heap, kernel: KernelFunction): boolean {
  const length = trial.bytes / 4;
  for (let at = 0; at < length; at += PATTERN.length) {
    heap.f32.set(length - at < PATTERN.length ? PATTERN.subarray(0, length - at) : PATTERN, at);
  }
  for (const { start, end } of trial.integers) {
    for (let at = start / 4; at < end / 4; at++) heap.i32[at] = at % 8;
  }
  try {
    kernel(...trial.args);
    return true;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return false;
    throw error;
  }
}

/** Gives NaNs that stand in the same place the same bits. */
function equateNaN(
  type: 'f32' | 'f64',
  expected: Uint8Array,
  received: Uint8Array,
  from: number,
  to: number,
): void {
  const size = ELEMENT_BYTES[type];
  const [a, b] = [expected, received].map(({ buffer, byteOffset }) => new DataView(buffer, byteOffset));
  const floatAt = (view: DataView, at: number) =>
    size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
  for (let at = from; at < to; at += size) {
    if (Number.isNaN(floatAt(a!, at)) && Number.isNaN(floatAt(b!, at))) {
      expected.set(received.subarray(at, at + size), at);
    }
  }
}

/**
 * Arbitrary floats in (-2, 2), one in 4096 special. Its length is a prime, so that buffers do not hold the same.
 * Integer multiplication by an odd constant and xor-shifts mix the position (a Weyl sequence with a finalizer).
 */
const SPECIALS = [0, -0, 1e-40, -1e-45, Infinity, -Infinity, NaN, 3e38];
const PATTERN = new Float32Array(65_521).map((_, i) => {
  let word = Math.imul(i + 1, 0x9e3779b1);
  word = Math.imul(word ^ (word >>> 15), 0x85ebca6b);
  word ^= word >>> 13;
  if ((word & 0xfff) === 0) return SPECIALS[(word >>> 12) % SPECIALS.length]!;
  return word / 2 ** 30;
});
