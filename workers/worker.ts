/** The Piscina entry point: runs this worker's part of a step. Knows programs, nothing of layers. */
import { FaltungError } from '../src/errors.ts';
import { bindProgram } from '../src/parallel/bind.ts';
import { abort } from '../src/parallel/control.ts';
import { type BoundProgram, runProgram } from '../src/parallel/interpreter.ts';
import type { StepReport, StepTask } from '../src/parallel/task.ts';

/** Programs bound lately, oldest first. */
const bound = new Map<number, BoundProgram>();
const MAX_BOUND = 8;

function programOf(task: StepTask): BoundProgram {
  let program = bound.get(task.programId);
  if (program === undefined) {
    program = bindProgram(task);
    bound.set(task.programId, program);
    if (bound.size > MAX_BOUND) bound.delete(bound.keys().next().value!);
  }
  return program;
}

/** Runs one step's share. Never rejects: a failure is part of the report, so that its details survive. */
export default function step(task: StepTask): StepReport {
  try {
    return { result: runProgram(programOf(task), task.control, task.frame) };
  } catch (error) {
    abort(task.control);
    const known = error instanceof Error ? error : new Error(String(error));
    return {
      result: 'failed',
      failure: {
        name: known.name,
        message: known.message,
        details: known instanceof FaltungError ? known.details : undefined,
        stack: known.stack,
      },
    };
  }
}
