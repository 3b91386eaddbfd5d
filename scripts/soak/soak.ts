/**
 * What a soak is: a subject that is tried very many times, each trial a function of (seed, index) alone, so that a
 * failure replays by itself and a run that was broken off goes on where it was.
 */

/** What a trial found out about itself besides having passed. */
export interface Figures {
  /** Kept is the largest of all trials, such as error/bound. */
  readonly largest?: Readonly<Record<string, number>>;
  /** Kept is the sum over all trials, such as how many inputs were refused. */
  readonly total?: Readonly<Record<string, number>>;
}

/** Trials of one run. */
export interface Trials {
  /** Throws where trial `index` fails. Trials may come in any order and more than once. */
  trial(index: number): Figures | undefined | Promise<Figures | undefined>;
  /** Releases what the trials hold. */
  close?(): void | Promise<void>;
}

/** What a soak may use. */
export interface SoakContext {
  /** Decides, with the index, everything about a trial. */
  readonly seed: number;
  /** An empty folder for temporary files; it is removed after the run. */
  readonly folder: string;
}

/** One subject of `npm run soak`. */
export interface Soak {
  /** What `--what` takes; lower case. */
  readonly name: string;
  /** What must be true, in one line. */
  readonly claim: string;
  /** What is counted, in the plural: `configurations`, `kills`. */
  readonly unit: string;
  /** Trials of a full run: the default of `--count`. */
  readonly count: number;
  start(context: SoakContext): Trials | Promise<Trials>;
}

/** A seed of 31 bits for trial `index`: a mixer over both (SplitMix's constants). */
export function trialSeed(seed: number, index: number): number {
  let z = (Math.imul(seed, 0x9e3779b9) + Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 1;
}
