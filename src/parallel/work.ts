/** What a worker does with a task: binds its program, once, and works through it together with the others. */
import { FaltungError } from '../errors.ts';
import type { bindProgram } from './bind.ts';
import { abort } from './control.ts';
import { type BoundProgram, runProgram, type StepFrame } from './interpreter.ts';
import { announcedStep, finishStep, stay } from './seats.ts';
import type { StepReport, StepTask } from './task.ts';

/** A worker waits for the next step as long as the last one took, at most this many milliseconds. */
const MAX_STAY_MS = 2;
const stayFor = (tookMs: number) => Math.min(tookMs, MAX_STAY_MS);
/** Programs kept bound. */
const MAX_BOUND = 8;

interface Bound extends BoundProgram {
  readonly runner: number;
  readonly generation: number;
}

/**
 * Makes a worker's function. It never rejects: a failure is part of the report, so that its details survive.
 * `bind` is bindProgram, and `stayMs` how long it waits for the next step behind one that took so long; tests give
 * kernels that are slow or fail, and other times.
 */
export function createStep(
  bind: typeof bindProgram,
  stayMs = stayFor,
): (task: StepTask) => Promise<StepReport> {
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
  return async (task) => {
    try {
      return await work(programOf(task), task, stayMs);
    } catch (error) {
      abort(task.control);
      return { result: 'failed', failure: describe(error) };
    }
  };
}

/** Does the task's step, and those that follow while it stays. */
async function work(
  program: BoundProgram,
  { control, worker, ticket, frame }: StepTask,
  stayMs: (tookMs: number) => number,
): Promise<StepReport> {
  for (let step: StepFrame = frame; ; step = { ...frame, ...announcedStep(control) }) {
    const began = performance.now();
    const result = runProgram(program, control, step);
    if (result !== 'done' && result !== 'nonFinite') return { result };
    finishStep(control, worker, ticket, result);
    const took = performance.now() - began;
    if (!(await stay(control, worker, ticket, stayMs(took)))) return { result: 'left' };
  }
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
