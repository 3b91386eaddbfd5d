/**
 * Finds the first tensor of a training step that is not finite: repeats the step's calls one by one on the calling
 * thread, as far as the update, and looks at what each has written. For a step that has failed only: it takes as long
 * as the step takes on one thread. What the step has left in the program's buffers is lost.
 */
import { families } from '../kernels/index.ts';
import { type Heap, heapOf, isBuffer, type KernelFunction } from '../kernels/kernel.ts';
import type { Operand, PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import type { PlacedProgram } from '../model/place.ts';
import { inputFormatsOf, type Plan } from '../model/plan.ts';
import { TAG } from '../model/program.ts';

/** A tensor that is not finite, or a gradient too large for any optimizer. */
export interface Finding {
  /** The buffer's name in the plan. */
  readonly buffer: string;
  /** The layer whose call wrote it. */
  readonly layer: string | undefined;
  /** The first bad value: NaN, Infinity or -Infinity; or a gradient of an element whose square is infinite. */
  readonly value: number;
  /** Position in the batch, where it is one of the samples as they were read. */
  readonly sample?: number;
}

/** A placed plan, its kernels bound to a memory, and the step that failed. */
export interface FailedStep {
  readonly plan: Plan;
  readonly placed: PlacedProgram;
  readonly functions: readonly KernelFunction[];
  readonly memory: WebAssembly.Memory;
  /** Where the program's buffers begin. */
  readonly base: number;
  readonly slot: number;
  readonly count: number;
}

/** The first bad tensor in the order of computation; undefined where there is none. */
export function findNonFinite(step: FailedStep): Finding | undefined {
  const heap = heapOf(step.memory.buffer);
  const early = badSample(step, heap) ?? badParameter(step, heap);
  if (early !== undefined) return early;
  const verdict = badVerdict(step, heap);
  // What later calls have left between the pixels of a view is not an earlier one's.
  heap.u8.fill(0, step.base, step.placed.slotBase);
  return badCall(step, heap) ?? verdict;
}

function badSample(step: FailedStep, heap: Heap): Finding | undefined {
  for (const [i, { type }] of inputFormatsOf(step.plan.options).entries()) {
    const found = type === 'float32' ? badSampleOf(step, i, heap) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A bad sample of one of the inputs. */
function badSampleOf(
  { plan, placed, slot, count }: FailedStep,
  place: number,
  { f32 }: Heap,
): Finding | undefined {
  const { samples } = plan.inputs[place]!;
  const from = (placed.addressOf(samples) + placed.slotBase + slot * placed.slotBytes) / 4;
  const each = samples.sampleBytes / 4;
  const at = firstBad(f32, from, count * each);
  if (at === undefined) return undefined;
  return {
    buffer: samples.name,
    layer: undefined,
    value: f32[from + at]!,
    sample: Math.floor(at / each),
  };
}

/** Weights that were not finite before the step: nothing that is computed with them can be. */
function badParameter({ plan, placed }: FailedStep, { f32 }: Heap): Finding | undefined {
  const calls = [plan.prepare, ...plan.phases].flatMap(({ units }) => units.flatMap(({ calls }) => calls));
  for (const buffer of new Set(calls.flatMap(({ operands }) => operands.flatMap(bufferOf)))) {
    if (buffer.scope !== 'model' || !buffer.name.startsWith('parameter/')) continue;
    const from = placed.addressOf(buffer) / 4;
    const at = firstBad(f32, from, buffer.fixedBytes / 4);
    if (at !== undefined) return { buffer: buffer.name, layer: undefined, value: f32[from + at]! };
  }
  return undefined;
}

/** The first bad call of all phases before the update. */
function badCall(step: FailedStep, heap: Heap): Finding | undefined {
  for (let phase = 0; phase < step.plan.updateFrom; phase++) {
    const found = badCallOf(step, phase, heap);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Runs all units of a phase, each as far as the first bad call so far: the earliest call counts, then the earliest
 * shard.
 */
function badCallOf(step: FailedStep, phase: number, heap: Heap): Finding | undefined {
  const { plan, placed, functions, count } = step;
  const { code } = placed.program;
  // Behind the first 'prepare', which the plan's list of phases does not have.
  const head = code[1 + 1 + phase]!;
  let found: Finding | undefined;
  let most = Number.POSITIVE_INFINITY;
  for (const [unit, { calls }] of plan.phases[phase]!.units.entries()) {
    const at = code[head + 1 + unit]!;
    const samples = Math.min(code[at + 1]!, count - code[at]!);
    if (samples <= 0) continue;
    heap.u8.fill(0, placed.workerBase, placed.workerBase + placed.workerBytes);
    let next = at + 3;
    for (const [index, call] of calls.entries()) {
      if (index >= most) break;
      const [kernel, length] = [code[next]!, code[next + 1]!];
      const args = argumentsAt(step, next, samples);
      next += 3 + length;
      functions[kernel]!(...args);
      const bad = badOutput(call, args, samples, heap);
      if (bad === undefined) continue;
      found = bad;
      most = index;
    }
  }
  return found;
}

/** The arguments of an encoded call (model/program.ts), for the first worker. */
function argumentsAt({ placed, slot }: FailedStep, at: number, samples: number): number[] {
  const { code } = placed.program;
  const bases = [0, placed.workerBase, placed.slotBase + slot * placed.slotBytes, 0];
  const tags = code[at + 2]!;
  return Array.from(code.subarray(at + 3, at + 3 + code[at + 1]!), (value, i) => {
    const tag = (tags >>> (2 * i)) & 3;
    return tag === TAG.count ? samples : value + bases[tag]!;
  });
}

function badOutput(
  { spec, operands, layer }: PlannedCall,
  args: readonly number[],
  samples: number,
  heap: Heap,
): Finding | undefined {
  for (const [i, arg] of families[spec.kind]!.args(spec).entries()) {
    if (!isBuffer(arg) || (arg.access !== 'out' && arg.access !== 'inout')) continue;
    if (arg.type !== 'f32' && arg.type !== 'f64') continue;
    const values = heap[arg.type];
    const from = (args[i]! >>> 0) / values.BYTES_PER_ELEMENT;
    const at = firstBad(values, from, arg.length(samples));
    const [buffer] = bufferOf(operands[i]!);
    if (at !== undefined) return { buffer: buffer!.name, layer, value: values[from + at]! };
  }
  return undefined;
}

/** A gradient whose parts were finite, and whose sum, or its square, is not. */
function badVerdict({ plan, placed }: FailedStep, { i32, f32 }: Heap): Finding | undefined {
  if (plan.verdicts === undefined) return undefined;
  const { buffer, subjects } = plan.verdicts;
  const words = placed.addressOf(buffer) / 4;
  const name = subjects.find((_, word) => i32[words + word] !== 0);
  const total = name === undefined ? undefined : plan.gradients.get(name)?.buffer;
  if (total === undefined) return undefined;
  const from = placed.addressOf(total) / 4;
  const at = firstBad(f32, from, total.fixedBytes / 4, (x) => Math.fround(x * x));
  const layer = name!.slice(0, name!.lastIndexOf('/'));
  return { buffer: total.name, layer, value: at === undefined ? Number.NaN : f32[from + at]! };
}

function bufferOf(operand: Operand): PlannedBuffer[] {
  return typeof operand === 'object' ? [operand.buffer] : [];
}

function firstBad(
  values: Float32Array | Float64Array,
  from: number,
  length: number,
  of: (value: number) => number = (value) => value,
): number | undefined {
  for (let i = 0; i < length; i++) if (!Number.isFinite(of(values[from + i]!))) return i;
  return undefined;
}
