/** What the main thread posts to a worker for each step, and what comes back. */
import type { Control } from './control.ts';
import type { StepFrame, StepResult } from './interpreter.ts';

/** One worker's part of a step. Everything but the frame is the same for all workers of a program. */
export interface StepTask {
  /** Which of the engine's workers it is for, counted from 0: its seat (seats.ts). */
  readonly worker: number;
  /** Its number among the tasks of that seat. */
  readonly ticket: number;
  /** Workers keep bound programs by this number, which is never used twice. */
  readonly programId: number;
  /** The model's runner and the number of its memory layout: programs of an older layout are of no use any more. */
  readonly runner: number;
  readonly generation: number;
  readonly memory: WebAssembly.Memory;
  /** The SIMD kernels; undefined where all kernels run in plain TypeScript. */
  readonly module: WebAssembly.Module | undefined;
  /** Which kernels the module exports: export name by kernel, -1 for scalar ones. */
  readonly exports: readonly number[];
  /** The kernel specs as JSON in UTF-8. */
  readonly specs: Uint8Array<SharedArrayBuffer>;
  readonly code: Int32Array<SharedArrayBuffer>;
  readonly control: Control;
  readonly frame: StepFrame;
}

/** An error as it crosses the thread boundary. */
export interface TaskFailure {
  readonly name: string;
  readonly message: string;
  readonly details: unknown;
  readonly stack: string | undefined;
}

/**
 * How a worker's task ended. A worker that has finished well says so in shared memory and stays for the next step;
 * 'left' is its end when none came.
 */
export interface StepReport {
  readonly result: Exclude<StepResult, 'done' | 'nonFinite'> | 'failed' | 'left';
  readonly failure?: TaskFailure;
}
