/**
 * Runs a plan in the test's own thread, without engine and arena: places it in a memory of the tests, binds
 * its kernels and works through its units, either as a single worker does (`runProgram`) or, with a
 * `schedule`, in a random order of units with each unit in the scratch of a random one of three workers.
 * That order is what threads may do to each other between two barriers, made replayable.
 *
 * Only the plan loaded last can run: all plans use the same memory.
 */
import assert from 'node:assert/strict';
import { families } from '../../src/kernels/index.ts';
import { type Heap, heapOf, type KernelFunction, type KernelSpec } from '../../src/kernels/kernel.ts';
import { emitModule } from '../../src/kernels/simd/module.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import type { PlannedBuffer } from '../../src/layers/layer.ts';
import { bufferBytes } from '../../src/model/buffers.ts';
import { buffersOf, type PlacedProgram, placeProgram } from '../../src/model/place.ts';
import type { Plan } from '../../src/model/plan.ts';
import { type PlacedPhase, TAG } from '../../src/model/program.ts';
import { createControl } from '../../src/parallel/control.ts';
import { runProgram } from '../../src/parallel/interpreter.ts';
import { uniforms } from './arbitraries.ts';
import type { Values } from './oracle.ts';

/** What a step reads. */
export interface StepData {
  /** [count, ...inputShape]. */
  readonly inputs: Values;
  /** As the plan's target format says; default zeros. */
  readonly targets?: Values;
  /** Default 1 a sample. */
  readonly sampleScale?: Values;
  /** By name, e.g. 'conv2d/weight'. What is left out stays as it is, zero at first. */
  readonly parameters?: Readonly<Record<string, Values>>;
  /** Number of the step; default 0. */
  readonly step?: number;
  /** The optimizer's numbers; default zeros. */
  readonly hyper?: readonly number[];
}

export interface StepOptions {
  readonly count: number;
  /** Seed of the order of units; default: one worker, in order. */
  readonly schedule?: number | undefined;
}

/** A plan ready to run. */
export interface LoadedPlan {
  readonly plan: Plan;
  readonly placed: PlacedProgram;
  run(data: StepData, options: StepOptions): void;
  /** A copy of a parameter by name, e.g. 'conv2d/weight'. */
  parameter(name: string, length: number): Float32Array;
  /** A copy of a buffer's first floats; scopes program and batch. */
  read(buffer: PlannedBuffer, length: number): Float32Array;
  /** Copies of the reduced gradients, by parameter. */
  gradients(): Record<string, Float32Array>;
}

const PAGE_BYTES = 65_536;
const BASE = 1024;
const WORKERS = 3;

let memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536, shared: true });
let loaded: LoadedPlan | undefined;

/** Places and binds a plan. */
export function loadPlan(plan: Plan, engine: 'scalar' | 'simd'): LoadedPlan {
  const phases = [plan.prepare, ...plan.phases];
  const models = new Map<string, number>();
  let end = BASE;
  for (const buffer of buffersOf(phases)) {
    if (buffer.scope !== 'model' || models.has(buffer.name)) continue;
    models.set(buffer.name, end);
    end += bufferBytes(buffer, 0);
  }
  const placed = placeProgram(plan, phases, (buffer) => models.get(buffer.name)!, end);
  const heap = freshHeap(end + placed.transientBytes(WORKERS));
  const run = bindSteps(placed, engine);
  const result: LoadedPlan = {
    plan,
    placed,
    run(data, { count, schedule }) {
      assert.equal(loaded, result, 'another plan was loaded since');
      writeStep(plan, placed, heap, data, count);
      for (const [name, values] of Object.entries(data.parameters ?? {})) {
        const address = models.get(`parameter/${name}`);
        if (address !== undefined) heap.f32.set(values, address / 4);
      }
      run(count, schedule);
    },
    parameter(name, length) {
      const at = models.get(`parameter/${name}`)! / 4;
      return new Float32Array(heap.f32.subarray(at, at + length));
    },
    read(buffer, length) {
      assert.equal(loaded, result, 'another plan was loaded since');
      const at = placed.addressOf(buffer) / 4;
      return new Float32Array(heap.f32.subarray(at, at + length));
    },
    gradients() {
      const named = [...plan.gradients.entries()];
      return Object.fromEntries(
        named.map(([name, { buffer }]) => [name, result.read(buffer, buffer.fixedBytes / 4)]),
      );
    },
  };
  loaded = result;
  return result;
}

/** Zeros, as the arena hands them out. */
function freshHeap(bytes: number): Heap {
  if (bytes > memory.buffer.byteLength) {
    memory = new WebAssembly.Memory({
      initial: Math.ceil(bytes / PAGE_BYTES),
      maximum: 65_536,
      shared: true,
    });
  }
  const heap = heapOf(memory.buffer);
  heap.u8.fill(0, 0, bytes);
  return heap;
}

function bindSteps({ program, ...placed }: PlacedProgram, engine: 'scalar' | 'simd') {
  const { kernels, code } = program;
  const functions = engine === 'simd' ? bindSimd(kernels) : kernels.map(bindScalar);
  const bound = { code, functions, kernels };
  const decoded = decodeProgram(code, program.phases);
  return (count: number, schedule: number | undefined): void => {
    if (schedule !== undefined) {
      runShuffled(decoded, functions, { ...placed, count, seed: schedule });
      return;
    }
    const { workerBase, slotBase } = placed;
    const frame = { workerBase, slotBase, count, firstPhase: 0, patienceMs: 1000 };
    assert.equal(runProgram(bound, createControl(), frame), 'done');
  };
}

function bindScalar(spec: KernelSpec): KernelFunction {
  return families[spec.kind]!.bind(spec, heapOf(memory.buffer));
}

/** Twins where there are any. */
function bindSimd(kernels: readonly KernelSpec[]): KernelFunction[] {
  const { bytes, exports } = emitModule(kernels, BASELINE_TARGET);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return kernels.map((spec, i) =>
    exports[i]! < 0 ? bindScalar(spec) : (instance.exports[String(exports[i])] as KernelFunction),
  );
}

/** Runs each phase's units in a random order on random workers, the second slot's step being another one's. */
function runShuffled(
  phases: readonly PlacedPhase[],
  functions: readonly KernelFunction[],
  at: { workerBase: number; workerBytes: number; slotBase: number; count: number; seed: number },
): void {
  const next = uniforms(at.seed);
  for (const { units } of phases) {
    const order = units.map((unit) => ({ unit, key: next() })).sort((a, b) => a.key - b.key);
    for (const { unit } of order) {
      const count = Math.min(unit.samples, at.count - unit.firstSample);
      if (count <= 0) continue;
      const worker = at.workerBase + Math.floor(next() * WORKERS) * at.workerBytes;
      for (const { kernel, args } of unit.calls) {
        const values = args.map(({ tag, value }) => {
          if (tag === TAG.count) return count;
          return value + (tag === TAG.worker ? worker : tag === TAG.slot ? at.slotBase : 0);
        });
        functions[kernel]!(...values);
      }
    }
  }
}

/** The phases that a program's code holds: the inverse of `encodeProgram`. */
export function decodeProgram(code: Int32Array, names: readonly string[]): PlacedPhase[] {
  const list = (at: number) => Array.from({ length: code[at]! }, (_, i) => code[at + 1 + i]!);
  return list(0).map((phase, p) => ({
    name: names[p]!,
    units: list(phase).map((unit) => {
      const [firstSample, samples, calls] = code.subarray(unit, unit + 3);
      let at = unit + 3;
      const decoded = Array.from({ length: calls! }, () => {
        const [kernel, length, tags] = code.subarray(at, at + 3);
        const args = Array.from({ length: length! }, (_, i) => ({
          tag: (tags! >>> (2 * i)) & 3,
          value: code[at + 3 + i]!,
        }));
        at += 3 + length!;
        return { kernel: kernel!, args };
      });
      return { firstSample: firstSample!, samples: samples!, calls: decoded };
    }),
  }));
}

function writeStep(plan: Plan, placed: PlacedProgram, heap: Heap, data: StepData, count: number): void {
  const at = (buffer: PlannedBuffer) => placed.slotBase + placed.addressOf(buffer);
  const { input, targets, sampleScale, step, hyper } = plan;
  const isBytes = plan.options.input.type === 'uint8';
  const most = count * (plan.targets.sampleBytes / 4);
  assert.ok((data.targets?.length ?? 0) <= most, 'more targets than the plan has room for');
  if (isBytes) heap.u8.set(data.inputs, at(input.samples));
  else heap.f32.set(data.inputs, at(input.samples) / 4);
  const isIndex = plan.options.targets?.kind !== 'dense';
  if (data.targets !== undefined) (isIndex ? heap.i32 : heap.f32).set(data.targets, at(targets) / 4);
  heap.f32.set(data.sampleScale ?? new Float32Array(count).fill(1), at(sampleScale) / 4);
  heap.i32.set([data.step ?? 0, 0], at(step) / 4);
  heap.f32.set(data.hyper ?? [0, 0, 0, 0], at(hyper) / 4);
}
