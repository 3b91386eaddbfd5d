/**
 * The engine: one Piscina pool and how kernels are made for it. Idle workers do not keep the process alive.
 *
 * A step ends in one of three ways: all workers report it as done; a kernel threw, and all workers report that they
 * stopped; or a worker was lost (it exited, ran out of memory, does not answer), and the whole pool is ended, so
 * that nobody is at work on the model's memory any more when `run` throws. The next step starts a new pool.
 */

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { ConfigError, type ErrorDetails, KernelError, StateError, WorkerLostError } from '../errors.ts';
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
  /** Milliseconds without a finished kernel call after which waiting workers give up; default 120,000. */
  readonly patienceMs?: number;
}

/**
 * What only tests exchange.
 * @internal
 */
export interface EngineParts {
  /** The worker's file; default workers/worker. */
  readonly workerFile?: string;
  readonly resourceLimits?: ResourceLimits;
}

/** What became of a worker's task: its report, or what it was lost to. */
type Outcome = { readonly report: StepReport } | { readonly lostTo: unknown };

/** Milliseconds that the other workers get to stop after one has given up. */
const GRACE_MS = 1000;
const MAX_THREADS = 64;

/** A pool of workers. Make one with `createEngine`, share it between models, `close()` it in the end. */
export class Engine {
  readonly threads: number;
  readonly kind: 'simd' | 'scalar';
  readonly wide: boolean;
  readonly patienceMs: number;
  readonly #parts: EngineParts;
  #pool: Piscina<StepTask, StepReport> | undefined;
  readonly #ends = new WeakMap<Piscina<StepTask, StepReport>, Promise<void>>();
  #closed = false;

  constructor(options: EngineOptions = {}, parts: EngineParts = {}) {
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
    if (!(patienceMs > 0)) {
      throw new ConfigError({
        operation: 'engine',
        argument: 'patienceMs',
        expected: 'a positive number of milliseconds',
        received: String(patienceMs),
      });
    }
    this.threads = threads;
    this.kind = engine;
    this.wide = wide;
    this.patienceMs = patienceMs;
    this.#parts = parts;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Starts the workers, which takes them a while, unless they run already. Throws StateError if closed. */
  start(): void {
    this.#open();
  }

  /**
   * Runs one step: `taskOf(worker)` for each worker at once. Throws KernelError where a kernel threw, WorkerLostError
   * where a worker died or stopped answering, StateError if the engine is closed or gets closed meanwhile.
   */
  async run(control: Control, taskOf: (worker: number) => StepTask): Promise<void> {
    const pool = this.#open();
    resetControl(control);
    const tasks = Array.from({ length: this.threads }, (_, worker) => outcomeOf(pool.run(taskOf(worker))));
    const outcomes = await collect(control, tasks);
    const lost = outcomes.find((outcome) => 'lostTo' in outcome);
    const reports = outcomes.flatMap((outcome) => ('report' in outcome ? [outcome.report] : []));
    if (reports.length === this.threads && reports.every(({ result }) => result === 'done')) return;
    const failure = reports.find(({ result }) => result === 'failed')?.failure;
    const late = reports.some(({ result }) => result === 'deadline');
    if (reports.length < this.threads || late) await this.#discard(pool);
    if (this.#closed) throw closedError();
    if (failure !== undefined && lost === undefined) throw revive(failure);
    const silence = `no worker that gets on for ${this.patienceMs} ms`;
    throw workerLost(lost?.lostTo ?? new Error(late ? silence : 'a worker that does not stop'));
  }

  /** Ends all workers. Models that use the engine cannot run any more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pool !== undefined) await this.#discard(this.#pool);
  }

  #open(): Piscina<StepTask, StepReport> {
    if (this.#closed) throw closedError();
    if (this.#pool !== undefined) return this.#pool;
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const own = fileURLToPath(new URL(`../../workers/worker${extension}`, import.meta.url));
    const { workerFile = own, resourceLimits } = this.#parts;
    const pool = new Piscina<StepTask, StepReport>({
      filename: workerFile,
      minThreads: this.threads,
      maxThreads: this.threads,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      ...(resourceLimits && { resourceLimits }),
    });
    // Piscina replaces a worker that fails without a task, unless its successor cannot start either: then tasks
    // would wait for ever.
    pool.on('error', () => {
      if (pool.threads.length === 0) void this.#discard(pool);
    });
    // Piscina replaces workers whose end it hears of late, even in a pool that was ended.
    pool.on('workerCreate', () => {
      if (this.#pool !== pool) void pool.destroy();
    });
    this.#pool = pool;
    return pool;
  }

  /** Ends a pool and waits for its workers' end, also where that is under way already. */
  #discard(pool: Piscina<StepTask, StepReport>): Promise<void> {
    if (this.#pool === pool) this.#pool = undefined;
    const end = this.#ends.get(pool) ?? pool.destroy();
    this.#ends.set(pool, end);
    return end;
  }
}

/** Makes an engine. Workers start when a model first needs them. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new Engine(options);
}

async function outcomeOf(task: Promise<StepReport>): Promise<Outcome> {
  try {
    return { report: await task };
  } catch (error) {
    return { lostTo: error };
  }
}

/**
 * Waits for all tasks; once one has ended otherwise than well, it tells the others to stop and waits no longer than
 * the grace time for them. What is left then is missing from the result.
 */
function collect(control: Control, tasks: readonly Promise<Outcome>[]): Promise<readonly Outcome[]> {
  return new Promise((resolve) => {
    const outcomes: Outcome[] = [];
    let grace: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(grace);
      resolve([...outcomes]);
    };
    for (const task of tasks) {
      task.then((outcome) => {
        outcomes.push(outcome);
        if (outcomes.length === tasks.length) finish();
        else if (grace === undefined && !('report' in outcome && outcome.report.result === 'done')) {
          abort(control);
          grace = setTimeout(finish, GRACE_MS);
        }
      });
    }
  });
}

function closedError(): StateError {
  return new StateError({
    operation: 'engine',
    expected: 'an open engine',
    received: 'a closed one',
    hint: 'make a new one, and let steps finish before close()',
  });
}

function workerLost(cause: unknown): WorkerLostError {
  return new WorkerLostError(
    {
      operation: 'engine',
      argument: 'worker',
      expected: 'all workers to finish the step',
      received: cause instanceof Error ? cause.message : String(cause),
      hint: 'the weights may be those of an unfinished step: start again from the last saved ones',
    },
    { cause },
  );
}

function revive({ name, message, details, stack }: TaskFailure): KernelError {
  const known = details as ErrorDetails | undefined;
  return new KernelError(
    name === 'KernelError' && known !== undefined
      ? known
      : { operation: 'worker', expected: 'to run a step', received: `${name}: ${message}` },
    { cause: stack },
  );
}
