/** Runs an encoded program (model/program.ts) on one worker: takes units, calls kernels, meets the others. */
import { KernelError } from '../errors.ts';
import type { KernelFunction, KernelSpec } from '../kernels/kernel.ts';
import { MAX_ARGUMENTS, TAG } from '../model/program.ts';
import {
  awaitPhase,
  type Control,
  finishUnit,
  isAborted,
  reportProgress,
  takeUnit,
  type WaitResult,
} from './control.ts';

/** A program bound to a memory. */
export interface BoundProgram {
  readonly code: Int32Array;
  readonly functions: readonly KernelFunction[];
  readonly kernels: readonly KernelSpec[];
  /** The memory as words; only where a frame has a guard. */
  readonly words?: Int32Array;
}

/** Words that must be 0 before a phase may begin. */
export interface Guard {
  readonly phase: number;
  readonly address: number;
  readonly words: number;
}

/** What changes from step to step and from worker to worker. */
export interface StepFrame {
  readonly workerBase: number;
  readonly slotBase: number;
  /** Samples of the step. */
  readonly count: number;
  readonly firstPhase: number;
  /** Milliseconds without a finished kernel call after which a waiting worker gives up. */
  readonly patienceMs: number;
  /** Ends the step where values are not finite. */
  readonly guard?: Guard;
}

/** How a worker's part of a step ended; 'nonFinite': the guard kept its phase, and those after it, from beginning. */
export type StepResult = WaitResult | 'nonFinite';

/** Works through all phases together with whoever else does; 'done' unless something ended it early. */
export function runProgram(program: BoundProgram, control: Control, frame: StepFrame): StepResult {
  const { code } = program;
  const phases = code[0]!;
  reportProgress(control);
  for (let phase = frame.firstPhase; phase < phases; phase++) {
    if (phase === frame.guard?.phase && !allZero(program.words!, frame.guard)) return 'nonFinite';
    const head = code[1 + phase]!;
    const units = code[head]!;
    for (let unit = takeUnit(control, phase); unit < units; unit = takeUnit(control, phase)) {
      if (!runUnit(program, code[head + 1 + unit]!, control, frame)) return 'aborted';
      finishUnit(control, phase, units);
    }
    const result = awaitPhase(control, phase, units, frame.patienceMs);
    if (result !== 'done') return result;
  }
  return 'done';
}

/** Plain loads: what the phases before have written is visible behind their barrier. */
function allZero(words: Int32Array, guard: Guard): boolean {
  const from = guard.address >>> 2;
  for (let i = 0; i < guard.words; i++) if (words[from + i] !== 0) return false;
  return true;
}

const decoded: number[] = new Array(MAX_ARGUMENTS).fill(0);

/** Calls a unit's kernels; false where the abort word ended it early. */
function runUnit(program: BoundProgram, at: number, control: Control, frame: StepFrame): boolean {
  const { code, functions } = program;
  const count = Math.min(code[at + 1]!, frame.count - code[at]!);
  if (count <= 0) return !isAborted(control);
  const calls = code[at + 2]!;
  const bases = [0, frame.workerBase, frame.slotBase, count];
  let next = at + 3;
  for (let call = 0; call < calls; call++) {
    if (isAborted(control)) return false;
    const kernel = code[next]!;
    const length = code[next + 1]!;
    let tags = code[next + 2]!;
    for (let i = 0; i < length; i++) {
      const value = code[next + 3 + i]!;
      decoded[i] = (tags & 3) === TAG.count ? count : value + bases[tags & 3]!;
      tags >>>= 2;
    }
    next += 3 + length;
    callKernel(program, functions[kernel]!, kernel, length);
    reportProgress(control);
  }
  return true;
}

function callKernel(program: BoundProgram, run: KernelFunction, kernel: number, length: number): void {
  try {
    run(...decoded.slice(0, length));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KernelError(
      {
        operation: `kernel ${program.kernels[kernel]?.kind ?? kernel}`,
        expected: 'to run to its end',
        received: reason,
      },
      { cause: error },
    );
  }
}
