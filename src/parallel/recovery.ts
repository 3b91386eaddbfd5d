/**
 * What a step that could not be finished leaves behind, and whether it can be run again.
 *
 * All phases before the update write only what the next step writes anew, from the parameters and the slot, so a step
 * whose update has not begun can be run again from its start, to the same bits. The update writes in place. Once all
 * its units are done the step is: what is left to do are copies of the weights, which any step can remake.
 */
import { type Control, unitsDone, unitsTaken } from './control.ts';

/** 'before': nothing was updated; 'after': everything; 'torn': something between. */
export type Remains = 'before' | 'after' | 'torn';

/** The program of a step, as far as it decides what remains. */
export interface Recovery {
  readonly code: Int32Array;
  /** The first phase that updates in place; all after it but the last do, too, and the last only copies. */
  readonly updateFrom: number;
}

/** Reads the counters of a step that ended early; only when no worker is at work any more. */
export function remainsOf(control: Control, { code, updateFrom }: Recovery): Remains {
  const phases = code[0]!;
  if (updateFrom >= phases || unitsTaken(control, updateFrom) === 0) return 'before';
  for (let phase = updateFrom; phase < phases - 1; phase++) {
    if (unitsDone(control, phase) < code[code[1 + phase]!]!) return 'torn';
  }
  return 'after';
}

/** What to tell the user of it. */
export function hintOf(remains: Remains): string {
  if (remains === 'before') return 'the weights are those of before the step';
  if (remains === 'after') return 'the weights are those of after the step';
  return 'the update was under way: the weights are those of half a step, go on from the last saved ones';
}

/** Whether a task was lost to the end of a worker, and not to an error that a new worker would meet again. */
export function isDeath(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if ((cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') return true;
  // Piscina's words for a worker that exited, and for one whose pool was ended (by another model's step).
  return /^(worker exited with code|Terminating worker thread)/.test(cause.message);
}
