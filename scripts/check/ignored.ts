/**
 * Every source belongs to the repository. A pattern in .gitignore that reaches too far (`data/` instead of
 * `/data/`) leaves files on the author's disk, where all other checks and tests pass, and out of every clone.
 */
import type { Offence, SourceFile } from './offence.ts';

/** Offences: sources that are not among the files that git tracks or would track. */
export function checkIgnored(sources: readonly SourceFile[], tracked: readonly SourceFile[]): Offence[] {
  const known = new Set(tracked.map(({ path }) => path));
  return sources
    .filter(({ path }) => !known.has(path))
    .map(({ path }) => ({ path, message: 'ignored by git; anchor the pattern in .gitignore' }));
}
