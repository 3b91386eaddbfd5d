/**
 * The words in shared memory by which the workers of one step agree on who does what.
 *
 * Each phase has a counter of units taken and a counter of units done. A worker takes units until none is left,
 * then waits until all are done: that is the barrier between phases. It counts units, not workers, so a worker that
 * starts late, or never, holds nobody up.
 *
 *   line 0       abort word
 *   line 1       progress: kernel calls finished, and workers that have begun
 *   line 2-67    who has finished, and stays for the next step (seats.ts)
 *   line 68+2p   phase p: units taken
 *   line 69+2p   phase p: units done; workers sleep on it
 */

/** Words of a cache line of 64 bytes: counters on lines of their own do not slow each other down. */
export const LINE = 16;
const ABORT = 0;
const PROGRESS = LINE;
/** Workers that a step can have. */
export const MAX_WORKERS = 64;
/** Where the words of seats.ts begin: two lines, and one for each worker. */
export const SEATS = 2 * LINE;
const SEAT_LINES = 2 + MAX_WORKERS;
const PHASES = SEATS + SEAT_LINES * LINE;
/** Loads before a waiting worker goes to sleep: a barrier costs 0.35 us spinning, 12-15 us sleeping (measured). */
const SPINS = 2000;
const SLEEP_MS = 50;

export type Control = Int32Array<SharedArrayBuffer>;

/** What ended a wait. */
export type WaitResult = 'done' | 'aborted' | 'deadline';

/** Fresh control words for a program of at most so many phases. */
export function createControl(phases: number = 256): Control {
  return new Int32Array(new SharedArrayBuffer((PHASES + 2 * phases * LINE) * 4));
}

/** Clears all counters; only while no worker is at work. Seats stay as they are. */
export function resetControl(control: Control): void {
  control.fill(0, 0, SEATS);
  control.fill(0, PHASES);
}

/** Makes all workers stop at their next look, and wakes those that sleep. */
export function abort(control: Control): void {
  Atomics.store(control, ABORT, 1);
  for (let index = doneIndex(0); index < control.length; index += 2 * LINE) Atomics.notify(control, index);
}

export function isAborted(control: Control): boolean {
  return Atomics.load(control, ABORT) !== 0;
}

/** The next unit of a phase, counted from 0; beyond the last where none is left. */
export function takeUnit(control: Control, phase: number): number {
  return Atomics.add(control, doneIndex(phase) - LINE, 1);
}

/** Shows those who wait that this worker gets on. */
export function reportProgress(control: Control): void {
  Atomics.add(control, PROGRESS, 1);
}

/** How much all workers have got on in this step: kernel calls finished, and workers that have begun. */
export function progressOf(control: Control): number {
  return Atomics.load(control, PROGRESS);
}

/** Units of a phase that workers have asked for; more than there are where some found none left. */
export function unitsTaken(control: Control, phase: number): number {
  return Atomics.load(control, doneIndex(phase) - LINE);
}

/** Units of a phase that are done. */
export function unitsDone(control: Control, phase: number): number {
  return Atomics.load(control, doneIndex(phase));
}

/** Reports a unit as done, and wakes the others where it was the last. */
export function finishUnit(control: Control, phase: number, units: number): void {
  const done = Atomics.add(control, doneIndex(phase), 1) + 1;
  if (done === units) Atomics.notify(control, doneIndex(phase));
}

/**
 * Waits until all units of a phase are done; 'deadline' after `patienceMs` in which no worker finished a kernel.
 * The time is counted in sleeps that nobody ended, so that a process that was stopped for a while does not give up.
 */
export function awaitPhase(control: Control, phase: number, units: number, patienceMs: number): WaitResult {
  const index = doneIndex(phase);
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.load(control, index) >= units) return 'done';
  }
  let progress = Atomics.load(control, PROGRESS);
  let waitedMs = 0;
  for (;;) {
    const done = Atomics.load(control, index);
    if (done >= units) return 'done';
    if (isAborted(control)) return 'aborted';
    const current = Atomics.load(control, PROGRESS);
    if (current !== progress) {
      progress = current;
      waitedMs = 0;
    }
    if (waitedMs >= patienceMs) return 'deadline';
    if (Atomics.wait(control, index, done, SLEEP_MS) === 'timed-out') waitedMs += SLEEP_MS;
  }
}

function doneIndex(phase: number): number {
  return PHASES + (1 + 2 * phase) * LINE;
}
