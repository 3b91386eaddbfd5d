/**
 * The mutants that nobody could catch: survivors.json lists them with the reason, by file and by their lines before
 * and after, so that the list outlives changes elsewhere in the file.
 */
import { readFileSync } from 'node:fs';
import type { Mutant } from './mutants.ts';

/** Why a mutant does not count: it computes the same, or only changes how fast. */
export interface Explained {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly reason: string;
}

/** The committed list. */
export function readSurvivors(
  file: string | URL = new URL('./survivors.json', import.meta.url),
): readonly Explained[] {
  return JSON.parse(readFileSync(file, 'utf8')) as Explained[];
}

/** The reason for a mutant, if it is listed. */
export function reasonFor(
  list: readonly Explained[],
  mutant: Pick<Mutant, 'file' | 'before' | 'after'>,
): string | undefined {
  const { file, before, after } = mutant;
  return list.find((each) => each.file === file && each.before === before && each.after === after)?.reason;
}
