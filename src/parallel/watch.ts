/**
 * Watches the tasks of a step until all have ended. Workers that wait for others give up by themselves (control.ts);
 * this watcher sees what they cannot: a single worker that hangs, all of them, or workers that never begin.
 */
import { abort, type Control, progressOf } from './control.ts';
import type { StepReport } from './task.ts';

/** What became of a worker's task: its report, or what it was lost to. */
export type Outcome = { readonly report: StepReport } | { readonly lostTo: unknown };

/** Milliseconds that the other workers get to stop after one has ended otherwise than well. */
const GRACE_MS = 1000;
/** Milliseconds that workers get to begin: on a loaded machine starting them takes seconds. */
const START_MS = 60_000;

/** The steps in flight on one pool: a step may wait for its turn as long as another one gets on. */
export class Watch {
  readonly #controls = new Set<Control>();
  #finished = 0;

  /**
   * The outcomes of a step's tasks. Once one has ended otherwise than well, or nobody has got on for `patienceMs`,
   * the others are told to stop and get a grace time; what has not ended then is missing from the result.
   */
  async outcomes(
    control: Control,
    tasks: readonly Promise<StepReport>[],
    patienceMs: number,
  ): Promise<readonly Outcome[]> {
    this.#controls.add(control);
    try {
      return await this.#collect(control, tasks, patienceMs);
    } finally {
      this.#controls.delete(control);
      this.#finished += 1;
    }
  }

  /** Tells the workers of all steps in flight to stop. */
  abortAll(): void {
    for (const control of this.#controls) abort(control);
  }

  #collect(
    control: Control,
    tasks: readonly Promise<StepReport>[],
    patienceMs: number,
  ): Promise<readonly Outcome[]> {
    return new Promise((resolve) => {
      const outcomes: Outcome[] = [];
      let grace: NodeJS.Timeout | undefined;
      const finish = () => {
        clearTimeout(grace);
        clearInterval(watch);
        resolve([...outcomes]);
      };
      const stop = () => {
        if (grace !== undefined) return;
        abort(control);
        grace = setTimeout(finish, GRACE_MS);
      };
      const watch = this.#whenQuiet(control, patienceMs, stop);
      for (const task of tasks) {
        void outcomeOf(task).then((outcome) => {
          outcomes.push(outcome);
          if (outcomes.length === tasks.length) finish();
          else if (!('report' in outcome) || !isWell(outcome.report)) stop();
        });
      }
    });
  }

  /**
   * Calls `stop` when nobody has got on for a time. It is counted in ticks of the event loop, so that neither a
   * process that was stopped for a while nor a main thread that reads samples for long gives up.
   */
  #whenQuiet(control: Control, patienceMs: number, stop: () => void): NodeJS.Timeout {
    const tickMs = Math.min(1000, Math.max(10, patienceMs / 4));
    let [progress, quietMs] = [this.#progress(), 0];
    return setInterval(() => {
      const current = this.#progress();
      quietMs = current === progress ? quietMs + tickMs : 0;
      progress = current;
      const limitMs = progressOf(control) === 0 ? Math.max(patienceMs, START_MS) : patienceMs;
      if (quietMs > limitMs) stop();
    }, tickMs);
  }

  #progress(): number {
    let sum = this.#finished;
    for (const control of this.#controls) sum += progressOf(control);
    return sum;
  }
}

/** Whether a task ended as it should. */
export function isWell({ result }: StepReport): boolean {
  return result === 'done' || result === 'nonFinite';
}

async function outcomeOf(task: Promise<StepReport>): Promise<Outcome> {
  try {
    return { report: await task };
  } catch (error) {
    return { lostTo: error };
  }
}
