/**
 * How long a lost worker goes unnoticed, in ticks of the main thread's own event loop: on a machine that has no time
 * for this process a tick is late, and the next one does not make up for it, so that only time in which the main
 * thread could have noticed counts. It begins with the last sign of life: the fault, or the last array that a worker
 * that runs out of memory could get.
 */
import { faultHappened, lifeSigns } from './faults.ts';

const TICK_MS = 10;

/** What is promised: a worker that dies is noticed within 2 s. */
export const NOTICE_MS = 2000;

export interface NoticeClock {
  /** Ends it. Returns the milliseconds of all ticks since the last sign of life. */
  stop(): number;
}

/** Starts with the fault that the engine made last has been given. */
export function noticeClock(): NoticeClock {
  const signs = lifeSigns();
  let [ticks, seen, stopped] = [0, 0, false];
  let timer: NodeJS.Timeout | undefined;
  void faultHappened().then(() => {
    if (stopped) return;
    timer = setInterval(() => {
      const sign = signs();
      ticks = sign === seen ? ticks + 1 : 0;
      seen = sign;
    }, TICK_MS);
  });
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
      return ticks * TICK_MS;
    },
  };
}
