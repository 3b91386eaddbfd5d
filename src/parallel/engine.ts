/**
 * The engine: one Piscina pool and how kernels are made for it. Idle workers do not keep the process alive.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { ConfigError, KernelError, StateError, WorkerLostError } from '../errors.ts';
import { abort, type Control, resetControl } from './control.ts';
import type { StepReport, StepTask, TaskFailure } from './task.ts';

/** How an engine runs. */
export interface EngineOptions {
  /** Number of workers, 1 to 64; default: all processors. The results do not depend on it. */
  readonly threads?: number;
  /** 'simd' (default): WebAssembly emitted for the model; 'scalar': plain TypeScript. The bits are the same. */
  readonly engine?: 'simd' | 'scalar';
  /** Whether 256-bit code may be used where V8 offers it; default true. The bits are the same. */
  readonly wide?: boolean;
  /** Milliseconds that a worker waits for the others within a step before the step fails; default 120,000. */
  readonly patienceMs?: number;
}

/** Milliseconds that the other workers get to stop after one was lost. */
const GRACE_MS = 1000;
const MAX_THREADS = 64;

/** A pool of workers. Make one with `createEngine`, share it between models, `close()` it in the end. */
export class Engine {
  readonly threads: number;
  readonly kind: 'simd' | 'scalar';
  readonly wide: boolean;
  readonly patienceMs: number;
  #pool: Piscina<StepTask, StepReport> | undefined;
  #closed = false;

  constructor(options: EngineOptions = {}) {
    const { threads = availableParallelism(), engine = 'simd', wide = true, patienceMs = 120_000 } = options;
    if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
      throw new ConfigError({
        operation: 'engine',
        argument: 'threads',
        expected: `a whole number from 1 to ${MAX_THREADS}`,
        received: String(threads),
      });
    }
    if (engine !== 'simd' && engine !== 'scalar') {
      throw new ConfigError({
        operation: 'engine',
        argument: 'engine',
        expected: "'simd' or 'scalar'",
        received: JSON.stringify(engine) ?? 'undefined',
      });
    }
    this.threads = threads;
    this.kind = engine;
    this.wide = wide;
    this.patienceMs = patienceMs;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs one step: `taskOf(worker)` for each worker at once. Throws what went wrong, WorkerLostError if a worker died. */
  async run(control: Control, taskOf: (worker: number) => StepTask): Promise<void> {
    const pool = this.#open();
    resetControl(control);
    const lost: unknown[] = [];
    const tasks = Array.from({ length: this.threads }, async (_, worker) => {
      try {
        return await pool.run(taskOf(worker));
      } catch (error) {
        lost.push(error);
        abort(control);
        return undefined;
      }
    });
    const reports = await Promise.race([Promise.all(tasks), this.#abandoned(control, tasks)]);
    if (lost.length > 0 || reports === undefined) {
      await this.#discard();
      throw workerLost(lost[0]);
    }
    const failure = reports.find((report) => report?.result === 'failed')?.failure;
    if (failure !== undefined) throw revive(failure);
    if (reports.some((report) => report?.result === 'deadline')) {
      await this.#discard();
      throw workerLost(new Error(`no answer within ${this.patienceMs} ms`));
    }
  }

  /** Ends all workers. Models that use the engine cannot run any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#discard();
  }

  /** Resolves to undefined when one worker has given up and the others do not follow within the grace time. */
  async #abandoned(control: Control, tasks: readonly Promise<StepReport | undefined>[]): Promise<undefined> {
    const gaveUp = (report: StepReport | undefined) => report === undefined || report.result !== 'done';
    await Promise.race(
      tasks.map(async (task) => {
        if (!gaveUp(await task)) await new Promise<never>(() => {});
      }),
    );
    abort(control);
    await new Promise((resolve) => {
      setTimeout(resolve, GRACE_MS).unref();
    });
    return undefined;
  }

  #open(): Piscina<StepTask, StepReport> {
    if (this.#closed) {
      throw new StateError({
        operation: 'engine',
        expected: 'an open engine',
        received: 'a closed one',
        hint: 'make a new one',
      });
    }
    if (this.#pool === undefined) {
      const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
      this.#pool = new Piscina({
        filename: fileURLToPath(new URL(`../../workers/worker${extension}`, import.meta.url)),
        minThreads: this.threads,
        maxThreads: this.threads,
        concurrentTasksPerWorker: 1,
        atomics: 'disabled',
      });
      this.#pool.on('error', () => {});
    }
    return this.#pool;
  }

  async #discard(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }
}

/** Makes an engine. Workers start at the first run. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new Engine(options);
}

function workerLost(cause: unknown): WorkerLostError {
  return new WorkerLostError(
    {
      operation: 'engine',
      argument: 'worker',
      expected: 'all workers to finish the step',
      received: cause instanceof Error ? cause.message : 'a worker that does not answer',
      hint: 'the weights may be those of an unfinished step: start again from the last saved ones',
    },
    { cause },
  );
}

function revive(failure: TaskFailure): Error {
  const details = failure.details as ConstructorParameters<typeof KernelError>[0] | undefined;
  if (failure.name === 'KernelError' && details !== undefined) return new KernelError(details);
  return new KernelError({
    operation: 'worker',
    expected: 'to run a step',
    received: `${failure.name}: ${failure.message}`,
  });
}
