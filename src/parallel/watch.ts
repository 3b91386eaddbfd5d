/**
 * Watches a step until all workers have ended it. Workers that wait for others give up by themselves (control.ts);
 * this watcher sees what they cannot: a single worker that hangs, all of them, or workers that never begin.
 */
import { abort, type Control, progressOf } from './control.ts';
import type { Crew, Outcome, TaskOf } from './crew.ts';
import { finishedWorkers, wakeWatcher, whenFinished } from './seats.ts';

/** Milliseconds that the other workers get to stop after one has ended otherwise than well. */
const GRACE_MS = 1000;
/** Milliseconds that workers get to begin: on a loaded machine starting them takes seconds. */
const START_MS = 60_000;

/** The steps in flight on one pool: a step may wait for its turn as long as another one gets on. */
export class Watch {
  readonly #controls = new Set<Control>();
  #finished = 0;

  /**
   * Sets a crew to an announced step; what became of the tasks that ended in it, none where all went well. Once one
   * has ended otherwise than well, or nobody has got on for `patienceMs`, the others are told to stop and get a grace
   * time; what has neither finished nor ended then is missing from the result.
   */
  async step(crew: Crew, taskOf: TaskOf, patienceMs: number): Promise<readonly Outcome[]> {
    this.#controls.add(crew.control);
    try {
      return await this.#collect(crew, taskOf, patienceMs);
    } finally {
      crew.end();
      this.#controls.delete(crew.control);
      this.#finished += 1;
    }
  }

  /** Tells the workers of all steps in flight to stop. */
  abortAll(): void {
    for (const control of this.#controls) abort(control);
  }

  #collect(crew: Crew, taskOf: TaskOf, patienceMs: number): Promise<readonly Outcome[]> {
    const { control } = crew;
    return new Promise((resolve) => {
      const outcomes: Outcome[] = [];
      let isOver = false;
      let grace: NodeJS.Timeout | undefined;
      const finish = () => {
        isOver = true;
        clearTimeout(grace);
        clearInterval(watch);
        // Where not all have finished, a promise still waits for it.
        wakeWatcher(control);
        resolve([...outcomes]);
      };
      const stop = () => {
        if (grace !== undefined || isOver) return;
        abort(control);
        grace = setTimeout(finish, GRACE_MS);
      };
      const watch = this.#whenQuiet(control, patienceMs, stop);
      crew.begin(taskOf, (outcome) => {
        outcomes.push(outcome);
        stop();
        if (outcomes.length + finishedWorkers(control) >= crew.size) finish();
      });
      const look = () => {
        for (let promise: Promise<unknown> | undefined; !isOver && promise === undefined; ) {
          const finished = finishedWorkers(control);
          if (outcomes.length + finished >= crew.size) return finish();
          promise = whenFinished(control, finished);
          void promise?.then(look);
        }
      };
      look();
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
