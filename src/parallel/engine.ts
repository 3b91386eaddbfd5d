/**
 * The engine: one Piscina pool and how kernels are made for it. Idle workers do not keep the process alive.
 *
 * A step ends in one of three ways: all workers have finished it; a kernel threw, and all workers report that they
 * stopped; or a worker was lost (it exited, ran out of memory, threw behind its task's back, does not answer), and the
 * whole pool is ended, so that nobody is at work on the model's memory any more when `run` throws or the step is run
 * again. The next step starts a new pool.
 */

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  ConfigError,
  type ErrorDetails,
  formatValue,
  KernelError,
  StateError,
  WorkerLostError,
} from '../errors.ts';
import { checkOptions, type OptionNames } from '../known-options.ts';
import { type Control, MAX_WORKERS, resetControl } from './control.ts';
import { Crew, type Pool, type TaskOf } from './crew.ts';
import { hintOf, isDeath, type Recovery, type Remains, remainsOf } from './recovery.ts';
import { announceStep, finishedWorkers, resultOf, type StepWords } from './seats.ts';
import type { StepReport, StepTask, TaskFailure } from './task.ts';
import { Watch } from './watch.ts';

/** How an engine runs. */
export interface EngineOptions {
  /** Number of workers, 1 to 64; default: all processors. The results do not depend on it. */
  readonly threads?: number;
  /** 'simd' (default): WebAssembly emitted for the model; 'scalar': plain TypeScript. The bits are the same. */
  readonly engine?: 'simd' | 'scalar';
  /** Whether 256-bit code may be used where V8 offers it; default true. The bits are the same. */
  readonly wide?: boolean;
  /** Milliseconds without a finished kernel call after which a step is given up; default 120,000. */
  readonly patienceMs?: number;
}

const ENGINE_OPTIONS: OptionNames<EngineOptions> = {
  threads: true,
  engine: true,
  wide: true,
  patienceMs: true,
};

/**
 * What only tests exchange.
 * @internal
 */
export interface EngineParts {
  /** The worker's file; default workers/worker. */
  readonly workerFile?: string;
  readonly resourceLimits?: ResourceLimits;
}

/** Milliseconds that workers get to end once they are told to. */
const END_MS = 10_000;
/** How often a step is run again because a worker died in it. */
const MAX_REPLAYS = 2;

/**
 * How a step ended: 'nonFinite' without an update, because a loss or a gradient is not finite; 'unprepared': it is
 * done, but for the copies of the new weights, which a lost worker has left unfinished.
 */
export type StepEnd = 'done' | 'nonFinite' | 'unprepared';

/** A pool of workers. Make one with `createEngine`, share it between models, `close()` it in the end. */
export class Engine {
  readonly threads: number;
  readonly kind: 'simd' | 'scalar';
  readonly wide: boolean;
  readonly patienceMs: number;
  readonly #parts: EngineParts;
  #pool: Pool | undefined;
  readonly #crews = new WeakMap<Control, Crew>();
  /** The one that had the last step: its workers may stay. */
  #lastCrew: Crew | undefined;
  readonly #ends = new WeakMap<Pool, Promise<void>>();
  /** What workers threw without a task of their own. */
  readonly #faults = new WeakMap<Pool, unknown>();
  readonly #watch = new Watch();
  #closed = false;

  constructor(options: EngineOptions = {}, parts: EngineParts = {}) {
    checkOptions('engine', options, ENGINE_OPTIONS);
    const { threads = availableParallelism(), engine = 'simd', wide = true, patienceMs = 120_000 } = options;
    if (!Number.isInteger(threads) || threads < 1 || threads > MAX_WORKERS) {
      throw new ConfigError({
        operation: 'engine',
        argument: 'threads',
        expected: `a whole number from 1 to ${MAX_WORKERS}`,
        received: String(threads),
      });
    }
    if (engine !== 'simd' && engine !== 'scalar') {
      throw new ConfigError({
        operation: 'engine',
        argument: 'engine',
        expected: "'simd' or 'scalar'",
        received: formatValue(engine),
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
   * Runs one step: with the workers that stay from the last one, and `taskOf(worker, ticket)` for each other. Where a
   * worker dies before the update, the step is run again on new workers. Throws KernelError where a kernel threw,
   * WorkerLostError where a worker was lost otherwise, StateError if the engine is closed or gets closed meanwhile.
   */
  async run(control: Control, step: StepWords, taskOf: TaskOf, recovery: Recovery): Promise<StepEnd> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(control, step, taskOf, recovery);
      if (typeof outcome === 'string') return outcome;
      const { cause, remains } = outcome;
      if (remains === 'after') return 'unprepared';
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (remains === 'torn' || attempt === MAX_REPLAYS) throw workerLost(cause, remains);
      process.emitWarning(`Faltung lost a worker in the middle of a step (${reason}); the step is run again`);
    }
  }

  /** One try at a step; what it was lost to where a worker died. Throws what running it again would not mend. */
  async #attempt(
    control: Control,
    step: StepWords,
    taskOf: TaskOf,
    recovery: Recovery,
  ): Promise<StepEnd | { readonly cause: unknown; readonly remains: Remains }> {
    const pool = this.#open();
    if (this.#faults.has(pool)) throw await this.#faultOf(pool, 'before');
    const crew = this.#crewOf(control, pool);
    resetControl(control);
    announceStep(control, this.threads, step);
    const outcomes = await this.#watch.step(crew, taskOf, this.patienceMs);
    const ended = outcomes.length + finishedWorkers(control);
    if (outcomes.length === 0 && ended === this.threads && !this.#faults.has(pool)) return resultOf(control);
    const reports = outcomes.flatMap((outcome) => ('report' in outcome ? [outcome.report] : []));
    const causes = outcomes.flatMap((outcome) => ('lostTo' in outcome ? [outcome.lostTo] : []));
    const late = ended < this.threads || reports.some(({ result }) => result === 'deadline');
    if (causes.length > 0 || late || this.#faults.has(pool)) await this.#discard(pool);
    if (this.#closed) throw closedError();
    const remains = remainsOf(control, recovery);
    if (this.#faults.has(pool)) throw await this.#faultOf(pool, remains);
    const own = causes.find((cause) => !isDeath(cause));
    if (own !== undefined) throw workerLost(own, remains);
    if (causes.length > 0) return { cause: causes[0], remains };
    const failure = reports.find(({ result }) => result === 'failed')?.failure;
    if (failure !== undefined) throw revive(failure, remains);
    throw workerLost(new Error(`no worker that gets on for ${this.patienceMs} ms`), remains);
  }

  /** The crew of a program's control words; workers that stay for another program make room, in its turn. */
  #crewOf(control: Control, pool: Pool): Crew {
    let crew = this.#crews.get(control);
    if (crew?.pool !== pool) {
      crew = new Crew(control, this.threads, pool, (cause) => {
        if (!isDeath(cause)) this.#onFault(pool, cause);
      });
      this.#crews.set(control, crew);
    }
    if (this.#lastCrew !== crew) this.#lastCrew?.dismiss();
    if (pool.queueSize > 0) crew.dismiss();
    this.#lastCrew = crew;
    return crew;
  }

  /** Ends all workers. Models that use the engine cannot run any more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pool !== undefined) await this.#discard(this.#pool);
  }

  #open(): Pool {
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
    pool.on('error', (error: unknown) => this.#onFault(pool, error));
    // Piscina replaces workers whose end it hears of late, even in a pool that was ended.
    pool.on('workerCreate', () => {
      if (this.#pool !== pool) void pool.destroy();
    });
    this.#pool = pool;
    return pool;
  }

  /**
   * What a worker threw when it was not at work, late or in a promise that nobody awaits. Whatever state it was in, the
   * step in flight ends with that error, or the next one.
   */
  #onFault(pool: Pool, error: unknown): void {
    this.#faults.set(pool, error);
    if (this.#pool === pool) this.#watch.abortAll();
  }

  /** What a pool's workers threw behind their tasks' back, once they have ended. */
  async #faultOf(pool: Pool, remains: Remains): Promise<WorkerLostError> {
    await this.#discard(pool);
    return workerLost(this.#faults.get(pool), remains);
  }

  /** Ends a pool and waits for its workers' end, also where that is under way already. */
  #discard(pool: Pool): Promise<void> {
    if (this.#pool === pool) this.#pool = undefined;
    const end = this.#ends.get(pool) ?? endOf(pool);
    this.#ends.set(pool, end);
    return end;
  }
}

/** Ends a pool; waits for its workers, but not for ever. */
async function endOf(pool: Pool): Promise<void> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    limit = setTimeout(resolve, END_MS);
  });
  await Promise.race([pool.destroy(), late]);
  clearTimeout(limit);
}

/** Makes an engine. Workers start when a model first needs them. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new Engine(options);
}

function closedError(): StateError {
  return new StateError({
    operation: 'engine',
    expected: 'an open engine',
    received: 'a closed one',
    hint: 'make a new one, and let steps finish before close()',
  });
}

function workerLost(cause: unknown, remains: Remains): WorkerLostError {
  return new WorkerLostError(
    {
      operation: 'engine',
      argument: 'worker',
      expected: 'all workers to finish the step',
      received: cause instanceof Error ? cause.message : String(cause),
      hint: hintOf(remains),
    },
    { cause },
  );
}

function revive({ name, message, details, stack }: TaskFailure, remains: Remains): KernelError {
  const known = details as ErrorDetails | undefined;
  const told =
    name === 'KernelError' && known !== undefined
      ? known
      : { operation: 'worker', expected: 'to run a step', received: `${name}: ${message}` };
  return new KernelError({ ...told, hint: hintOf(remains) }, { cause: stack });
}
