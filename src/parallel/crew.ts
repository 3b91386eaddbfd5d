/**
 * The workers of one program on one pool: who stays for the next step, and what becomes of their tasks. A task lasts
 * as long as its worker stays, through many steps, so its end may come in any of them or between two.
 */
import type { Piscina } from 'piscina';
import type { Control } from './control.ts';
import { call, clearSeats, engage, sendAway, vacate } from './seats.ts';
import type { StepReport, StepTask } from './task.ts';

export type Pool = Piscina<StepTask, StepReport>;

/** How a worker's task ended early: its report, or what it was lost to. */
export type Outcome = { readonly report: StepReport } | { readonly lostTo: unknown };

/** The task of a worker, with its ticket (seats.ts). */
export type TaskOf = (worker: number, ticket: number) => StepTask;

export class Crew {
  readonly control: Control;
  readonly size: number;
  readonly pool: Pool;
  readonly #onIdleLoss: (cause: unknown) => void;
  #onEnd: ((outcome: Outcome) => void) | undefined;

  /** `onIdleLoss` hears what a worker was lost to while no step was in flight. */
  constructor(control: Control, size: number, pool: Pool, onIdleLoss: (cause: unknown) => void) {
    this.control = control;
    this.size = size;
    this.pool = pool;
    this.#onIdleLoss = onIdleLoss;
    // Whoever stayed on another pool is gone with it.
    clearSeats(control, size);
  }

  /**
   * Sets all workers to an announced step: those that stay are called, the others get a task. `onEnd` hears of tasks
   * that end in this step otherwise than by leaving.
   */
  begin(taskOf: TaskOf, onEnd: (outcome: Outcome) => void): void {
    this.#onEnd = onEnd;
    for (let worker = 0; worker < this.size; worker++) {
      if (!call(this.control, worker)) this.#post(worker, taskOf);
    }
  }

  /** No step is in flight any more. */
  end(): void {
    this.#onEnd = undefined;
  }

  /** Makes all workers leave once they have finished. */
  dismiss(): void {
    sendAway(this.control, this.size);
  }

  #post(worker: number, taskOf: TaskOf): void {
    const ticket = engage(this.control, worker);
    this.pool.run(taskOf(worker, ticket)).then(
      (report) => this.#ended(worker, ticket, { report }),
      (lostTo: unknown) => this.#ended(worker, ticket, { lostTo }),
    );
  }

  #ended(worker: number, ticket: number, outcome: Outcome): void {
    const wasAtWork = vacate(this.control, worker, ticket);
    if ('report' in outcome && outcome.report.result === 'left') return;
    if (wasAtWork && this.#onEnd !== undefined) this.#onEnd(outcome);
    else if ('lostTo' in outcome) this.#onIdleLoss(outcome.lostTo);
  }
}
