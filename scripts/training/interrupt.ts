/** Ctrl-C: the first one ends training after the step in hand, so that it can be saved; a second one at once. */
import { EXIT } from '../command.ts';

/** Exit codes by the signal that ended the command: 128 and its number, as shells have it. */
const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/** What the signals of the operating system do, by what the command is doing. */
export interface Interrupt {
  /** For `fit`. */
  readonly signal: AbortSignal;
  /** Of a run that was stopped: by the signal that came first; without one (the page's stop) as by Ctrl-C. */
  readonly exitCode: number;
  /** Runs `body` as training: a first Ctrl-C in it waits for the step. Elsewhere nothing would be lost by leaving. */
  whileTraining<T>(body: () => Promise<T>): Promise<T>;
}

/** Listens to SIGINT and SIGTERM; `leave` ends the process with this code. */
export function listenToInterrupts(leave: (exitCode: number) => void): Interrupt {
  const controller = new AbortController();
  let training = false;
  let exitCode: number = EXIT.interrupted;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!training || controller.signal.aborted) {
        leave(CODES[name]);
        return;
      }
      exitCode = CODES[name];
      process.stderr.write('\nFinishing the step in hand and saving (again: stops at once) ...\n');
      controller.abort();
    });
  }
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    async whileTraining(body) {
      training = true;
      try {
        return await body();
      } finally {
        training = false;
      }
    },
  };
}
