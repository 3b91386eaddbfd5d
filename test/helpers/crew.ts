/**
 * Real threads that run a program of the interpreter on kernels that only take notes: when each unit began and
 * ended, by tickets from one counter in shared memory, so that all threads' notes have one order.
 */
import { Worker } from 'node:worker_threads';
import { encodeProgram, TAG } from '../../src/model/program.ts';
import { type Control, createControl, resetControl, type WaitResult } from '../../src/parallel/control.ts';

export const NAP_MS = 60;

/** What a crew works through. */
export interface Job {
  /** Units of each phase. */
  readonly units: readonly number[];
  /** Seeds all threads' pauses. */
  readonly seed: number;
  readonly patienceMs?: number;
  /** Further kernel calls of each unit, which sleep for NAP_MS; default 0. */
  readonly naps?: number;
  /** The unit whose kernel ends only when `release` is called. */
  readonly stuck?: { readonly phase: number; readonly unit: number };
}

/** A job as the threads get it. */
export interface ThreadJob extends Job {
  readonly worker: number;
  readonly code: Int32Array<SharedArrayBuffer>;
  readonly control: Control;
  readonly notes: Int32Array<SharedArrayBuffer>;
  /** Word 0 becomes 1 when the stuck unit has begun, word 1 when it may end. */
  readonly gate: Int32Array<SharedArrayBuffer>;
}

/** What happened to a unit: how often it ran, and its tickets. */
export interface Note {
  readonly runs: number;
  readonly began: number;
  readonly ended: number;
}

/** A job under way. */
export interface Shift {
  readonly control: Control;
  /** Each thread's end, in the order of the threads. */
  readonly results: readonly Promise<WaitResult>[];
  /** Resolves when the stuck unit has begun. */
  stuckBegan(): Promise<void>;
  release(): void;
  /** By phase and unit. */
  notes(): Note[][];
}

/** Threads that stay for many jobs. */
export interface Crew {
  start(job: Job): Shift;
  close(): Promise<void>;
}

/** Where a unit's three notes lie; word 0 is the counter of tickets. */
export function noteIndex(units: readonly number[], phase: number, unit: number): number {
  const before = units.slice(0, phase).reduce((sum, count) => sum + count, 0);
  return 1 + 3 * (before + unit);
}

/** Starts `size` threads. */
export function createCrew(size: number): Crew {
  const workers = Array.from({ length: size }, () => {
    const worker = new Worker(new URL('./crew-worker.ts', import.meta.url));
    worker.unref();
    return worker;
  });
  return {
    start(job) {
      const code = codeOf(job);
      const control = createControl(job.units.length);
      const total = job.units.reduce((sum, count) => sum + count, 0);
      const notes = words(1 + 3 * total);
      const gate = words(2);
      resetControl(control);
      const results = workers.map((worker, index) => {
        const task: ThreadJob = { ...job, worker: index, code, control, notes, gate };
        worker.ref();
        worker.postMessage(task);
        return new Promise<WaitResult>((resolve, reject) => {
          worker.once('error', reject);
          worker.once('message', (result) => {
            worker.off('error', reject);
            worker.unref();
            resolve(result);
          });
        });
      });
      return {
        control,
        results,
        async stuckBegan() {
          const wait = Atomics.waitAsync(gate, 0, 0);
          if (wait.async) await wait.value;
        },
        release() {
          Atomics.store(gate, 1, 1);
          Atomics.notify(gate, 1);
        },
        notes: () =>
          job.units.map((count, phase) =>
            Array.from({ length: count }, (_, unit) => {
              const [runs, began, ended] = notes.subarray(noteIndex(job.units, phase, unit));
              return { runs: runs!, began: began!, ended: ended! };
            }),
          ),
      };
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** A program whose units call kernel 0 with their phase and number, then kernel 1 for each nap. */
function codeOf({ units, naps = 0 }: Job): Int32Array<SharedArrayBuffer> {
  const nap = { kernel: 1, args: [] };
  const phases = units.map((count, phase) => ({
    name: `phase ${phase}`,
    units: Array.from({ length: count }, (_, unit) => {
      const args = [phase, unit].map((value) => ({ tag: TAG.absolute, value }));
      const calls = [{ kernel: 0, args }, ...new Array<typeof nap>(naps).fill(nap)];
      return { firstSample: 0, samples: 1, calls };
    }),
  }));
  return encodeProgram([{ kind: 'note' }, { kind: 'nap' }], phases).code;
}

function words(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}
