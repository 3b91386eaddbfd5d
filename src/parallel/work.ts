/** What a worker does with a task: binds its program, once, and works through it together with the others. */
import { FaltungError } from '../errors.ts';
import type { bindProgram } from './bind.ts';
import { abort } from './control.ts';
import { type BoundProgram, runProgram } from './interpreter.ts';
import type { StepReport, StepTask } from './task.ts';

/** Programs kept bound. */
const MAX_BOUND = 8;

interface Bound extends BoundProgram {
  readonly runner: number;
  readonly generation: number;
}

/**
 * Makes a worker's function. It never rejects: a failure is part of the report, so that its details survive.
 * `bind` is bindProgram; tests give one whose kernels are slow or fail.
 */
export function createStep(bind: typeof bindProgram): (task: StepTask) => StepReport {
  /** By program, the one used last at the end. */
  const bound = new Map<number, Bound>();
  const programOf = (task: StepTask): BoundProgram => {
    const { programId, runner, generation } = task;
    const program = bound.get(programId) ?? { ...bind(task), runner, generation };
    bound.delete(programId);
    for (const [id, other] of bound) {
      // A program of an earlier layout holds memory that the model has left.
      if (other.runner === runner && other.generation !== generation) bound.delete(id);
    }
    bound.set(programId, program);
    if (bound.size > MAX_BOUND) bound.delete(bound.keys().next().value!);
    return program;
  };
  return (task) => {
    try {
      return { result: runProgram(programOf(task), task.control, task.frame) };
    } catch (error) {
      abort(task.control);
      return { result: 'failed', failure: describe(error) };
    }
  };
}

/** An error in a form that crosses the thread boundary with its type and details. */
function describe(error: unknown): StepReport['failure'] {
  const known = error instanceof Error ? error : new Error(String(error));
  return {
    name: known.name,
    message: known.message,
    details: known instanceof FaltungError ? known.details : undefined,
    stack: (known.cause instanceof Error ? known.cause : known).stack,
  };
}
