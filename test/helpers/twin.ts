/**
 * Holds a SIMD twin to its scalar kernel: both run on equal memories, and every byte must come out equal
 * (NaN equals NaN inside float buffers). The arguments come from `family.args(spec)`.
 *
 * Between the buffers lie canaries. The first buffer begins at byte 0 and the last one ends where the memory
 * ends, so that a vector access that strays beyond them traps; `seed` decides which buffers these are.
 */
import assert from 'node:assert/strict';
import {
  type BufferArg,
  type Heap,
  heapOf,
  isBuffer,
  type KernelArg,
  type KernelFamily,
  type KernelSpec,
} from '../../src/kernels/kernel.ts';
import { assembleModule, withCustomSection } from '../../src/kernels/simd/assembler/module.ts';
import { BASELINE_TARGET, PAIRED_TARGET, type SimdTwin, type Target } from '../../src/kernels/simd/twin.ts';
import { canCompileWide, optimizing } from '../../src/parallel/compile.ts';

/** A random number in [0, 1). */
export type Random = () => number;

export interface TwinOptions {
  /** Samples; what the arguments of access 'count' get. */
  readonly count: number;
  /** Values of the arguments of access 'literal', by name; default 0. */
  readonly literals?: Readonly<Record<string, number>>;
  /** Decides the data, the order of the buffers and their alignment. */
  readonly seed: number;
  /** Whether zeros of both signs, subnormals, huge numbers, infinities and NaN are mixed in; default false. */
  readonly specials?: boolean;
  /** Overwrites the random contents of buffers whose values matter (indices, probabilities); offsets in elements. */
  readonly fill?: (name: string, heap: Heap, at: number, length: number, random: Random) => void;
}

interface Placed {
  readonly arg: BufferArg;
  /** Byte offset of the buffer's first element, its lead included. */
  readonly start: number;
  /** Byte offset of its origin. */
  readonly origin: number;
  readonly end: number;
}

const PAGE = 65_536;
const BYTES = { f32: 4, f64: 8, i32: 4, u8: 1 } as const;
const SPECIALS = [0, -0, 1e-45, -1e-40, 1.17549435e-38, 3.4e38, -3.4e38, Infinity, -Infinity, NaN];
/** What the library emits for: any engine, V8 with 256-bit code, and 64-bit Arm. */
const TARGETS: readonly Target[] = [BASELINE_TARGET, PAIRED_TARGET, { pairs: false, accumulators: 16 }];
const memories = new Map<number, WebAssembly.Memory>();

/**
 * Runs `twin` for every kind of target and compares it with the scalar kernel. Returns false where the twin
 * leaves this spec to the scalar kernel.
 */
export function assertTwin<S extends KernelSpec>(
  family: KernelFamily<S>,
  twin: SimdTwin<S>,
  spec: S,
  options: TwinOptions,
): boolean {
  assert.equal(twin.kind, family.kind);
  const args = family.args(spec);
  const { placed, pages } = place(args, options);
  const memory = memoryOf(pages);
  const before = fillMemory(placed, pages, options);
  const expected = before.slice(0);
  const values = callArguments(args, placed, options);
  family.bind(spec, heapOf(expected))(...values);
  assertOnlyOutputsChanged(`scalar ${spec.kind}`, placed, before, expected);
  for (const target of TARGETS) {
    const builder = twin.emit(spec, target);
    if (builder === undefined) return false;
    // V8 shares machine code between modules of equal bytes: without the mark a twin that ignores its target would
    // run as 128-bit code a second time.
    const bytes = withCustomSection(assembleModule([builder]), 'target', JSON.stringify(target));
    const run = withEngineFor(target, () => {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
      const kernel = () => (exports['0'] as (...args: number[]) => void)(...values);
      // Each run but the last makes the engine compile the function with its optimizing compiler.
      for (let i = 0; i < 2; i++) {
        new Uint8Array(memory.buffer).set(new Uint8Array(before));
        kernel();
      }
      return kernel;
    });
    new Uint8Array(memory.buffer).set(new Uint8Array(before));
    run();
    const label = `${spec.kind} (${target.pairs ? 'pairs' : 'single'}, ${target.accumulators} accumulators) ${JSON.stringify({ spec, ...options })}`;
    assertSameMemory(label, placed, expected, memory.buffer);
  }
  return true;
}

/**
 * Runs `body`, which compiles a module and calls its functions twice, as 256-bit code where the target asks for it
 * and this Node can make it.
 */
function withEngineFor<T>(target: Target, body: () => T): T {
  return target.pairs && canCompileWide() ? optimizing(256, body) : body();
}

/** A small fast generator (mulberry32): test data only. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function memoryOf(pages: number): WebAssembly.Memory {
  const known = memories.get(pages);
  if (known !== undefined) return known;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE, shared: true });
  memories.set(pages, memory);
  return memory;
}

function place(args: readonly KernelArg[], options: TwinOptions): { placed: Placed[]; pages: number } {
  const random = randomFrom(options.seed ^ 0x5eed);
  const buffers = args.filter(isBuffer);
  const turn = Math.floor(random() * buffers.length);
  const order = [...buffers.slice(turn), ...buffers.slice(0, turn)];
  const placed: Placed[] = [];
  let top = 0;
  for (const arg of order) {
    const size = BYTES[arg.type];
    const start = Math.ceil(top / size) * size;
    const origin = start + (arg.lead ?? 0) * size;
    const end = origin + arg.length(options.count) * size;
    placed.push({ arg, start, origin, end });
    top = end + 32 + 4 * Math.floor(random() * 8);
  }
  const last = placed[placed.length - 1]!;
  const pages = Math.ceil(Math.max(1, last.end) / PAGE);
  // A u8 buffer's end may be odd; the memory's is not, and a buffer keeps its type's alignment.
  const size = BYTES[last.arg.type];
  const shift = Math.floor((pages * PAGE - last.end) / size) * size;
  placed[placed.length - 1] = {
    arg: last.arg,
    start: last.start + shift,
    origin: last.origin + shift,
    end: last.end + shift,
  };
  return { placed, pages };
}

function fillMemory(placed: readonly Placed[], pages: number, options: TwinOptions): ArrayBuffer {
  const buffer = new ArrayBuffer(pages * PAGE);
  const heap = heapOf(buffer);
  const random = randomFrom(options.seed);
  heap.i32.fill(0x7fc0cafe);
  for (const { arg, start, origin, end } of placed) {
    const size = BYTES[arg.type];
    const values = heap[arg.type];
    for (let i = start / size; i < end / size; i++) {
      if (arg.type === 'u8') values[i] = Math.floor(random() * 256);
      else if (arg.type === 'i32') values[i] = Math.floor(random() * 16);
      else values[i] = randomFloat(random, options.specials ?? false);
    }
    options.fill?.(arg.name, heap, origin / size, (end - origin) / size, random);
  }
  return buffer;
}

function randomFloat(random: Random, specials: boolean): number {
  if (specials && random() < 0.02) return SPECIALS[Math.floor(random() * SPECIALS.length)]!;
  const magnitude = random() < 0.2 ? 10 ** Math.floor(random() * 7 - 3) : 1;
  return (random() * 2 - 1) * magnitude;
}

function callArguments(
  args: readonly KernelArg[],
  placed: readonly Placed[],
  options: TwinOptions,
): number[] {
  return args.map((arg) => {
    if (isBuffer(arg)) return placed.find((candidate) => candidate.arg === arg)!.origin;
    return arg.access === 'count' ? options.count : (options.literals?.[arg.name] ?? 0);
  });
}

function assertOnlyOutputsChanged(
  label: string,
  placed: readonly Placed[],
  before: ArrayBuffer,
  after: ArrayBuffer,
): void {
  const masked = after.slice(0);
  const old = new Uint8Array(before);
  for (const { arg, start, end } of placed) {
    if (arg.access !== 'in') new Uint8Array(masked).set(old.subarray(start, end), start);
  }
  assert.ok(Buffer.from(masked).equals(Buffer.from(before)), `${label} wrote outside its output buffers`);
}

function assertSameMemory(
  label: string,
  placed: readonly Placed[],
  expected: ArrayBuffer,
  received: ArrayBufferLike,
): void {
  for (const { arg, start, end } of placed) {
    if (arg.access === 'scratch')
      new Uint8Array(received).set(new Uint8Array(expected, start, end - start), start);
  }
  if (Buffer.compare(Buffer.from(expected), Buffer.from(received as ArrayBuffer)) === 0) return;
  const want = heapOf(expected);
  const got = heapOf(received);
  const differing = want.u8.findIndex((byte, i) => byte !== got.u8[i] && !bothNaN(i));
  if (differing < 0) return;
  const owner = placed.find(({ start, end }) => differing >= start && differing < end);
  if (owner === undefined) assert.fail(`${label}: wrote to byte ${differing}, outside all buffers`);
  const { arg, origin } = owner;
  const size = BYTES[arg.type];
  const i = Math.floor(differing / size);
  const wanted = want[arg.type][i];
  const gotten = got[arg.type][i];
  assert.fail(`${label}: ${arg.name}[${i - origin / size}] is ${gotten}, the scalar kernel's is ${wanted}`);

  function bothNaN(byte: number): boolean {
    const { arg: { type } = { type: 'u8' as const } } =
      placed.find(({ start, end }) => byte >= start && byte < end) ?? {};
    if (type !== 'f32' && type !== 'f64') return false;
    const element = Math.floor(byte / BYTES[type]);
    return Number.isNaN(want[type][element]) && Number.isNaN(got[type][element]);
  }
}
