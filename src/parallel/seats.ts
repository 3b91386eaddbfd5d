/**
 * The words by which workers stay in their task for the next step. Posting a task to a sleeping worker costs most of a
 * millisecond, and where several are woken at once the last one begins 6 ms late (measured: Linux wakes both on one
 * processor), so a worker that has finished its part looks out for the next step for a while before it leaves.
 *
 * Each worker has a seat. `away`: nobody stays there, a task must be posted. `staying`: its worker waits to be called.
 * `working`: it is at work. Main thread and worker both change `staying` by compare-and-exchange, so that a worker
 * either is called or has left, never both. Each posted task has a ticket of its own, which is part of its seat's word:
 * one that was sent away and looks late sees that the seat is another's.
 *
 *   line 0       workers that have finished the step well; the main thread sleeps on it
 *   line 1       how the step ended, workers, the step's own words of the frame, whether to leave
 *   line 2+w     seat of worker w
 */
import { availableParallelism } from 'node:os';
import { type Control, isAborted, LINE, SEATS } from './control.ts';
import type { StepFrame, StepResult } from './interpreter.ts';

const STATE = { away: 0, staying: 1, working: 2 } as const;
const TICKET = 4;
/** Tickets begin anew after so many, before a seat's word overflows: no task is that late. */
const TICKETS = 2 ** 28;

const FINISHED = SEATS;
const NON_FINITE = SEATS + LINE;
const WORKERS = NON_FINITE + 1;
const SLOT_BASE = NON_FINITE + 2;
const COUNT = NON_FINITE + 3;
const FIRST_PHASE = NON_FINITE + 4;
const LEAVE = NON_FINITE + 5;
const seatOf = (worker: number) => SEATS + (2 + worker) * LINE;

/** What a frame has of its own in each step, the same for all workers. */
export type StepWords = Pick<StepFrame, 'slotBase' | 'count' | 'firstPhase'>;

/** Loads before a worker that stays lets its event loop turn: about 20 us. */
const SPINS = 2000;
/** Milliseconds for which a worker that stays sleeps before it lets its event loop turn. */
const NAP_MS = 0.5;
const PROCESSORS = availableParallelism();

/** Writes down the step that is to come; only while no worker is at work. */
export function announceStep(control: Control, workers: number, step: StepWords): void {
  control[FINISHED] = 0;
  control[NON_FINITE] = 0;
  control[WORKERS] = workers;
  control[SLOT_BASE] = step.slotBase;
  control[COUNT] = step.count;
  control[FIRST_PHASE] = step.firstPhase;
  Atomics.store(control, LEAVE, 0);
}

/** The step that a called worker is to do. */
export function announcedStep(control: Control): StepWords {
  return { slotBase: control[SLOT_BASE]!, count: control[COUNT]!, firstPhase: control[FIRST_PHASE]! };
}

/** Calls a worker that stays; false where it does not. */
export function call(control: Control, worker: number): boolean {
  const word = Atomics.load(control, seatOf(worker));
  return word % TICKET === STATE.staying && exchange(control, worker, word, STATE.working);
}

/** Gives a seat that is away to a task that is to be posted; its ticket. */
export function engage(control: Control, worker: number): number {
  const ticket = (Math.trunc(Atomics.load(control, seatOf(worker)) / TICKET) + 1) % TICKETS;
  Atomics.store(control, seatOf(worker), ticket * TICKET + STATE.working);
  return ticket;
}

/** Empties the seat of a task that has ended; whether it was at work, and not staying or leaving. */
export function vacate(control: Control, worker: number, ticket: number): boolean {
  const word = Atomics.load(control, seatOf(worker));
  if (Math.trunc(word / TICKET) !== ticket) return false;
  Atomics.store(control, seatOf(worker), ticket * TICKET + STATE.away);
  return word % TICKET === STATE.working;
}

/** Makes all workers leave that stay, and those that are at work once they have finished. */
export function sendAway(control: Control, workers: number): void {
  Atomics.store(control, LEAVE, 1);
  for (let worker = 0; worker < workers; worker++) {
    const word = Atomics.load(control, seatOf(worker));
    if (word % TICKET === STATE.staying) exchange(control, worker, word, STATE.away);
  }
}

/** Empties all seats; only where nobody can be in them any more. */
export function clearSeats(control: Control, workers: number): void {
  for (let worker = 0; worker < workers; worker++) {
    const word = Atomics.load(control, seatOf(worker));
    Atomics.store(control, seatOf(worker), word - (word % TICKET) + STATE.away);
  }
}

function exchange(control: Control, worker: number, word: number, state: number): boolean {
  const next = word - (word % TICKET) + state;
  if (Atomics.compareExchange(control, seatOf(worker), word, next) !== word) return false;
  Atomics.notify(control, seatOf(worker));
  return true;
}

/** Workers that have finished the announced step well. */
export function finishedWorkers(control: Control): number {
  return Atomics.load(control, FINISHED);
}

/** How a step ended that all workers have finished well. */
export function resultOf(control: Control): 'done' | 'nonFinite' {
  return control[NON_FINITE] === 0 ? 'done' : 'nonFinite';
}

/** A promise of a change in the number of finished workers; undefined where it is not `finished` any more. */
export function whenFinished(control: Control, finished: number): Promise<unknown> | undefined {
  const wait = Atomics.waitAsync(control, FINISHED, finished);
  return wait.async ? wait.value : undefined;
}

/** Ends the promises of `whenFinished`. */
export function wakeWatcher(control: Control): void {
  Atomics.notify(control, FINISHED);
}

/** A worker's word that it has finished well, and stays unless it is to leave. */
export function finishStep(control: Control, worker: number, ticket: number, result: StepResult): void {
  if (result === 'nonFinite') Atomics.store(control, NON_FINITE, 1);
  Atomics.store(control, seatOf(worker), ticket * TICKET + STATE.staying);
  const finished = Atomics.add(control, FINISHED, 1) + 1;
  if (finished === control[WORKERS] || isAborted(control)) wakeWatcher(control);
}

/**
 * Stays for up to so many milliseconds; true where the worker was called, false where it has left. The event loop turns
 * at least once, so that what kernels have left behind, such as a rejected promise, ends the worker as it should.
 *
 * It looks out without a pause where a processor is left for the main thread, else it sleeps: a main thread that wakes
 * up on a processor where a worker spins gets it only when the scheduler's slice is over, 2 ms later (measured).
 */
export async function stay(
  control: Control,
  worker: number,
  ticket: number,
  milliseconds: number,
): Promise<boolean> {
  const seat = seatOf(worker);
  const staying = ticket * TICKET + STATE.staying;
  const until = performance.now() + milliseconds;
  const isSpinning = control[WORKERS]! < PROCESSORS;
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isSpinning) Atomics.wait(control, seat, staying, NAP_MS);
    let word = Atomics.load(control, seat);
    for (let spin = 0; isSpinning && spin < SPINS && word === staying; spin++) {
      word = Atomics.load(control, seat);
    }
    if (word === staying && (performance.now() >= until || Atomics.load(control, LEAVE) !== 0)) {
      word = Atomics.compareExchange(control, seat, staying, ticket * TICKET + STATE.away);
      if (word === staying) return false;
    }
    if (word !== staying) return word === ticket * TICKET + STATE.working;
  }
}
