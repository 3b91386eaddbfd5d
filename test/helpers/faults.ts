/**
 * What goes wrong in the workers of an engine under test. The faults are Node's environment data, which workers get
 * a copy of when they start (shared memory stays shared); the worker file of such engines is faulty-worker.ts.
 */
import { fileURLToPath } from 'node:url';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { Engine, type EngineOptions, type EngineParts } from '../../src/parallel/engine.ts';

/**
 * How a kernel call ends. 'exitLater' and 'throwLater' strike when the worker is idle; 'float' leaves a rejected promise
 * behind that nobody awaits.
 */
export type Ending = 'exit' | 'throw' | 'trap' | 'memory' | 'hang' | 'float' | 'exitLater' | 'throwLater';

export interface Faults {
  /** Seeds random pauses before kernel calls; default none. */
  readonly pauseSeed?: number;
  /** How many of them there are, of 1, the default. */
  readonly pauseShare?: number;
  /** Milliseconds that every kernel call sleeps; default none. */
  readonly napMs?: number;
  /** The call of this kind of kernel that ends so, counted over all workers from 0, and as many after it (default 1). */
  readonly fatal?: {
    readonly kind: string;
    readonly ending: Ending;
    readonly call: number;
    readonly times?: number;
  };
}

/** Faults as workers get them. */
export interface SharedFaults extends Faults {
  /** Calls of the fatal kind so far, 1 once one has ended so, and signs of life of a worker that runs out of memory. */
  readonly words: Int32Array<SharedArrayBuffer>;
}

const NAME = 'faults of test workers';

/** An engine whose workers have these faults. Start it before the next one is made. */
export function faultyEngine(options: EngineOptions, faults: Faults, parts: EngineParts = {}): Engine {
  setEnvironmentData(NAME, { ...faults, words: new Int32Array(new SharedArrayBuffer(12)) } as never);
  return new Engine(options, {
    workerFile: fileURLToPath(new URL('./faulty-worker.ts', import.meta.url)),
    ...parts,
  });
}

/** The faults of the thread's own environment. */
export function ownFaults(): Partial<SharedFaults> {
  return (getEnvironmentData(NAME) ?? {}) as Partial<SharedFaults>;
}

/** Resolves when a kernel call has ended as the faults say. */
export async function faultHappened(): Promise<void> {
  const wait = Atomics.waitAsync(ownFaults().words!, 1, 0);
  if (wait.async) await wait.value;
}

/** Counts the signs of life that workers have given since the fault. */
export function lifeSigns(): () => number {
  const { words } = ownFaults();
  return () => Atomics.load(words!, 2);
}
