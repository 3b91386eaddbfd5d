/** What a suite of benchmarks is, and what it may use. */
import type { TileKernel } from './micro-kernel.ts';
import type { Settings } from './settings.ts';
import type { Effort } from './timing.ts';

/** What suites share within a run. */
export interface Context {
  readonly settings: Settings;
  readonly effort: Effort;
  /** Processes that measure the same thing, of which the median counts. */
  readonly repeats: number;
  /** The fastest tile of the micro-kernel on this machine. */
  yardstick(): TileKernel;
  /** Says what is being measured. */
  progress(text: string): void;
}

/** A suite; `R` is plain data, as it stands in the JSON file. */
export interface Suite<R = unknown> {
  readonly name: string;
  /** One line above the table. */
  readonly title: string;
  run(context: Context): R | Promise<R>;
  /** The figures as text for a terminal. */
  format(result: R): string;
}
