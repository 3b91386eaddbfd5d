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
}

/** Works through all phases together with whoever else does; 'done' unless something ended it early. */
export function runProgram(program: BoundProgram, control: Control, frame: StepFrame): WaitResult {
  const { code } = program;
  const phases = code[0]!;
  for (let phase = frame.firstPhase; phase < phases; phase++) {
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
