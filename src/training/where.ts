/** Where to run, out of options that say more. */
import type { RunOptions } from './state.ts';

/** The options of running alone. */
export function runOptionsOf({ threads, engine, wide }: RunOptions): RunOptions {
  return {
    ...(threads !== undefined && { threads }),
    ...(engine !== undefined && { engine }),
    ...(wide !== undefined && { wide }),
  };
}
