/**
 * Runs a model's programs: places plans in the arena, compiles their kernels, keeps prepared weights fresh, and
 * hands steps to the engine. Plans are cached by a key, the least recently used dropped.
 */
import { MemoryError, StateError } from '../errors.ts';
import type { PlannedBuffer } from '../layers/layer.ts';
import { targetFormatsOf } from '../model/heads.ts';
import { buffersOf, type PlacedProgram, placeProgram } from '../model/place.ts';
import { inputFormatsOf, type Plan } from '../model/plan.ts';
import { Arena } from './arena.ts';
import { bindProgram, encodeSpecs } from './bind.ts';
import { type CompiledKernels, compileKernels } from './compile.ts';
import { createControl } from './control.ts';
import { type Finding, findNonFinite } from './diagnose.ts';
import type { Engine, StepEnd } from './engine.ts';
import type { Guard } from './interpreter.ts';
import { explainRefusal } from './refusal.ts';
import { readResults, type StepResults } from './results.ts';
import type { StepWords } from './seats.ts';
import type { StepTask } from './task.ts';

/** Programs kept ready. */
const MAX_PROGRAMS = 8;

let lastProgramId = 0;
let lastRunnerId = 0;

interface Entry {
  readonly plan: Plan;
  /** Copies of weights that the program reads, by buffer, and the kernels that make them. */
  readonly prepared: ReadonlyMap<string, number>;
  generation: number;
  placed: PlacedProgram | undefined;
  kernels: CompiledKernels | undefined;
  task: Omit<StepTask, 'worker' | 'ticket' | 'frame'> | undefined;
  /** The version of the weights after its last run. */
  freshVersion: number;
  /** Views of the slots as they were last asked for. */
  readonly inputs: StepInput[];
}

/** What the main thread writes for a step, as views of the samples in use. */
export interface StepInput {
  /** For each input of the model: samples as they are stored, and affine maps. */
  readonly inputs: readonly {
    readonly samples: Uint8Array | Float32Array;
    readonly matrices: Float32Array;
  }[];
  /** One that all outputs learn, or one an output. */
  readonly targets: readonly (Int32Array | Float32Array)[];
  /** For each output with a loss, f32 a sample, and what its loss counts. */
  readonly heads: readonly { readonly sampleScale: Float32Array; readonly weight: number }[];
  /** Of the classes, where the loss reads them. */
  readonly classWeights: Float32Array | undefined;
  readonly step: Int32Array;
  readonly hyper: Float32Array;
}

/** State of one model at run time. */
export class Runner {
  readonly arena: Arena;
  readonly engine: Engine;
  readonly #id: number;
  /** How to plan what was opened; an entry that was dropped is made anew when it is used again. */
  readonly #plans = new Map<string, () => Plan>();
  /** The one used last at the end. */
  readonly #entries = new Map<string, Entry>();
  #active: Entry | undefined;
  #activeGeneration = -1;
  #running: Entry | undefined;
  #weightsVersion = 0;
  /** By buffer: the version of the weights that it holds, and the kernel that made it. */
  readonly #freshness = new Map<string, number>();
  readonly #kernelNumbers = new Map<string, number>();
  /** The program that marked copies as fresh last: nobody can have remade them since. */
  #lastMarked: Entry | undefined;
  readonly #markFresh = (by: number, name: string): void => {
    this.#freshness.set(name, this.#version(by));
  };

  constructor(engine: Engine, memoryLimit?: number) {
    lastRunnerId += 1;
    this.#id = lastRunnerId;
    this.engine = engine;
    this.arena = new Arena(memoryLimit);
  }

  /** To be called after parameters were written from outside: prepared copies are stale. */
  weightsChanged(): void {
    this.#weightsVersion += 1;
  }

  /** Whether a step is in flight. */
  get running(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Reserves everything a plan needs; later plans may move it, so open all plans of a loop before it starts. Throws
   * MemoryError, which says what would fit, and StateError while a step is running. `makePlan` is asked for plans of
   * other batch sizes to find that out.
   */
  open(key: string, makePlan: (batchSize?: number) => Plan): void {
    if (this.#running !== undefined) throw busyError();
    this.#plans.set(key, makePlan);
    try {
      this.#placed(key);
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error;
      this.#plans.delete(key);
      this.#entries.delete(key);
      const { arena } = this;
      throw explainRefusal(error, { arena, threads: this.engine.threads, makePlan });
    }
  }

  /** The plan of an opened program. */
  plan(key: string): Plan {
    return this.#entry(key).plan;
  }

  /**
   * Views of a slot (0 or 1) for `count` samples, to be filled before `run`. One slot may be written while the other
   * one's step runs. Throws StateError while another program's step is running.
   */
  input(key: string, slot: number, count: number): StepInput {
    if (this.#running !== undefined && this.#running !== this.#entry(key)) throw busyError();
    const { plan, placed } = this.#placed(key);
    const entry = this.#entry(key);
    this.#activate(entry);
    const known = entry.inputs[slot];
    if (known?.inputs[0]?.matrices.length === 6 * count) return known;
    const base = placed.slotBase + slot * placed.slotBytes;
    const { f32, i32, u8 } = this.arena.heap;
    const at = (buffer: PlannedBuffer) => base + placed.addressOf(buffer);
    const floats = (buffer: PlannedBuffer, length: number) =>
      f32.subarray(at(buffer) / 4, at(buffer) / 4 + length);
    const formats = inputFormatsOf(plan.options);
    const targets = targetFormatsOf(plan.options);
    const views: StepInput = {
      inputs: plan.inputs.map(({ samples, matrices }, i) => {
        const bytes = samples.sampleBytes * count;
        const isBytes = formats[i]!.type === 'uint8';
        return {
          samples: isBytes ? u8.subarray(at(samples), at(samples) + bytes) : floats(samples, bytes / 4),
          matrices: floats(matrices, 6 * count),
        };
      }),
      targets: plan.allTargets.map((buffer, i) => {
        const length = (buffer.sampleBytes / 4) * count;
        const from = at(buffer) / 4;
        return targets[i]!.kind === 'index' ? i32.subarray(from, from + length) : floats(buffer, length);
      }),
      heads: plan.heads.map(({ sampleScale, weight }) => ({
        sampleScale: floats(sampleScale, count),
        weight,
      })),
      classWeights: plan.classWeights && floats(plan.classWeights, plan.classWeights.fixedBytes / 4),
      step: i32.subarray(at(plan.step) / 4, at(plan.step) / 4 + 2),
      hyper: floats(plan.hyper, plan.hyper.fixedBytes / 4),
    };
    entry.inputs[slot] = views;
    return views;
  }

  /**
   * Runs a step over the samples in a slot; 'nonFinite' where a loss or a gradient is not finite: nothing was updated
   * then. Throws what the engine throws, and StateError where the slot cannot hold what was written to it, because
   * another program has run since.
   */
  async run(key: string, slot: number, count: number): Promise<'done' | 'nonFinite'> {
    const entry = this.#entry(key);
    if (this.#running !== undefined || !this.#isActive(entry)) throw busyError();
    const { plan, placed, task } = this.#placed(key);
    const fresh = this.#isFresh(entry);
    const version = this.#weightsVersion;
    const guard = guardOf(plan, placed);
    const step: StepWords = {
      slotBase: placed.slotBase + slot * placed.slotBytes,
      count,
      firstPhase: fresh ? 1 : 0,
    };
    const taskOf = (worker: number, ticket: number): StepTask => ({
      ...task,
      worker,
      ticket,
      frame: {
        ...step,
        workerBase: placed.workerBase + worker * placed.workerBytes,
        patienceMs: this.engine.patienceMs,
        ...(guard && { guard }),
      },
    });
    this.#running = entry;
    let end: StepEnd;
    try {
      end = await this.engine.run(task.control, step, taskOf, {
        code: task.code,
        updateFrom: 1 + plan.updateFrom,
      });
    } catch (error) {
      // Weights may be new and their copies old, or the other way round.
      this.#weightsVersion += 1;
      throw error;
    } finally {
      this.#running = undefined;
    }
    const untouched = this.#weightsVersion === version;
    const updates = plan.options.mode === 'train' && plan.options.optimizer !== undefined;
    if (updates && end !== 'nonFinite') this.#weightsVersion += 1;
    if (untouched && end !== 'unprepared') {
      entry.prepared.forEach(this.#markFresh);
      this.#lastMarked = entry;
      entry.freshVersion = this.#weightsVersion;
    }
    return end === 'nonFinite' ? end : 'done';
  }

  /** What the last step of a program has left; valid until the next. */
  results(key: string, count: number): StepResults {
    const { plan, placed } = this.#placed(key);
    return readResults(plan, placed, this.arena.heap, count);
  }

  /**
   * The first tensor that is not finite in the last step, over the samples of a slot; undefined where all are.
   * What the step left for `results` and `floats` is lost.
   */
  diagnose(key: string, slot: number, count: number): Finding | undefined {
    if (this.#running !== undefined) throw busyError();
    const { plan, placed, task } = this.#placed(key);
    const { functions } = bindProgram(task);
    const { memory, transientBase: base } = this.arena;
    return findNonFinite({ plan, placed, functions, memory, base, slot, count });
  }

  /** Floats of a buffer that outlives a step (scopes program, batch, model), from its origin on. */
  floats(key: string, buffer: PlannedBuffer, length: number): Float32Array {
    const at = this.#placed(key).placed.addressOf(buffer) / 4;
    return this.arena.heap.f32.subarray(at, at + length);
  }

  /** Bytes of an opened program: [the model's buffers, the step's]. */
  bytes(key: string): { model: number; step: number } {
    const { placed } = this.#placed(key);
    return { model: this.arena.transientBase, step: placed.transientBytes(this.engine.threads) };
  }

  /** Whether an opened program's kernels are 256-bit code. */
  isWide(key: string): boolean {
    return this.#placed(key).wide;
  }

  /** The entry of an opened program, as the one used last. */
  #entry(key: string): Entry {
    const entry = this.#entries.get(key) ?? this.#makeEntry(key);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_PROGRAMS) this.#entries.delete(this.#entries.keys().next().value!);
    return entry;
  }

  #makeEntry(key: string): Entry {
    const plan = this.#plans.get(key)!();
    const prepared = plan.prepare.units.map(({ calls }) => {
      const target = calls[0]!.operands.at(-1) as { buffer: PlannedBuffer };
      return [target.buffer.name, this.#numberOf(JSON.stringify(calls[0]!.spec))] as const;
    });
    return {
      plan,
      prepared: new Map(prepared),
      generation: -1,
      placed: undefined,
      kernels: undefined,
      task: undefined,
      freshVersion: -1,
      inputs: [],
    };
  }

  /** A number of its own for each kernel that prepares copies. */
  #numberOf(kernel: string): number {
    const known = this.#kernelNumbers.get(kernel);
    if (known !== undefined) return known;
    this.#kernelNumbers.set(kernel, this.#kernelNumbers.size);
    return this.#kernelNumbers.size - 1;
  }

  /** What a fresh copy made by a kernel is marked with. */
  #version(kernel: number): number {
    return this.#weightsVersion * MAX_KERNELS + kernel;
  }

  /** Whether all copies that a program reads are those of the present weights. */
  #isFresh(entry: Entry): boolean {
    if (this.#lastMarked === entry && entry.freshVersion === this.#weightsVersion) return true;
    for (const [name, by] of entry.prepared)
      if (this.#freshness.get(name) !== this.#version(by)) return false;
    return true;
  }

  #isActive(entry: Entry): boolean {
    return this.#active === entry && this.#activeGeneration === this.arena.generation;
  }

  #activate(entry: Entry): void {
    if (this.#isActive(entry)) return;
    this.arena.clearTransient();
    this.#active = entry;
    this.#activeGeneration = this.arena.generation;
  }

  #placed(key: string) {
    const entry = this.#entry(key);
    if (entry.generation !== this.arena.generation) this.#place(entry);
    return { plan: entry.plan, placed: entry.placed!, task: entry.task!, wide: entry.kernels?.wide ?? false };
  }

  #place(entry: Entry): void {
    const { plan } = entry;
    const phases = [plan.prepare, ...plan.phases];
    const buffers = buffersOf(phases);
    const { addressOf, end } = this.arena.layOut(buffers);
    const placed = placeProgram(plan, phases, addressOf, end);
    this.arena.reserve(buffers, placed.transientBytes(this.engine.threads));
    // Behind the refusal of what does not fit, before the compiling: workers boot meanwhile.
    this.engine.start();
    const { program } = placed;
    if (this.engine.kind === 'simd') entry.kernels ??= compileKernels(program.kernels, this.engine.wide);
    lastProgramId += 1;
    entry.placed = placed;
    entry.generation = this.arena.generation;
    entry.inputs.length = 0;
    entry.task = {
      programId: lastProgramId,
      runner: this.#id,
      generation: entry.generation,
      memory: this.arena.memory,
      module: entry.kernels?.module,
      exports: entry.kernels?.exports ?? program.kernels.map(() => -1),
      specs: encodeSpecs(program.kernels),
      code: program.code,
      control: createControl(phases.length),
    };
  }
}

/** What must be 0 before the update; its phase comes one later in the program, behind the first 'prepare'. */
function guardOf({ verdicts, updateFrom }: Plan, placed: PlacedProgram): Guard | undefined {
  if (verdicts === undefined) return undefined;
  return {
    phase: 1 + updateFrom,
    address: placed.addressOf(verdicts.buffer),
    words: verdicts.subjects.length,
  };
}

/** Kernels that prepare copies, over a model's life; far fewer exist. */
const MAX_KERNELS = 65_536;

function busyError(): StateError {
  return new StateError({
    operation: 'model',
    expected: 'one fit, evaluate or predict at a time',
    received: 'a second one before the first has finished',
    hint: 'await the one before starting the other',
  });
}
