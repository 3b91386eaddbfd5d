/** Ctrl-C: the first one ends training after the step in hand, so that it can be saved; a second one at once. */

/** What the signals of the operating system do, by what the command is doing. */
export interface Interrupt {
  /** For `fit`. */
  readonly signal: AbortSignal;
  /** Runs `body` as training: a first Ctrl-C in it waits for the step. Elsewhere nothing would be lost by leaving. */
  whileTraining<T>(body: () => Promise<T>): Promise<T>;
}

/** Listens to SIGINT and SIGTERM; `leave` ends the process. */
export function listenToInterrupts(leave: () => void): Interrupt {
  const controller = new AbortController();
  let training = false;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!training || controller.signal.aborted) {
        leave();
        return;
      }
      process.stderr.write('\nFinishing the step in hand and saving (again: stops at once) ...\n');
      controller.abort();
    });
  }
  return {
    signal: controller.signal,
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
