/** What a mutation run found: shares by group and by operator, and every survivor. */
import { groupOf } from './groups.ts';
import type { Mutant } from './mutants.ts';
import { type Explained, reasonFor } from './survivors.ts';
import type { Outcome } from './trial.ts';

export interface Tried {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

/** Least share of the mutants that are not explained. */
export const LEAST_CAUGHT = 0.95;

interface Count {
  caught: number;
  explained: number;
  survived: number;
}

/** Caught of those that are not explained; 1 where there are none. */
export function caughtShare(tried: readonly Tried[], list: readonly Explained[]): number {
  const { caught, survived } = countOf(tried, list);
  return caught + survived === 0 ? 1 : caught / (caught + survived);
}

/** Explanations that no mutant of these needs: a test catches what they call equal. */
export function disproved(tried: readonly Tried[], list: readonly Explained[]): readonly Mutant[] {
  return tried
    .filter(({ mutant, outcome }) => outcome.status === 'caught' && reasonFor(list, mutant) !== undefined)
    .map(({ mutant }) => mutant);
}

function countOf(tried: readonly Tried[], list: readonly Explained[]): Count {
  const count = { caught: 0, explained: 0, survived: 0 };
  for (const { mutant, outcome } of tried) {
    if (outcome.status === 'caught') count.caught++;
    else if (reasonFor(list, mutant) !== undefined) count.explained++;
    else count.survived++;
  }
  return count;
}

/** A mutant on two lines. */
export function formatMutant({ file, line, operator, before, after }: Mutant): string {
  return `${file}:${line} (${operator})\n    - ${before}\n    + ${after}`;
}

/** The whole report. */
export function formatReport(tried: readonly Tried[], list: readonly Explained[]): string {
  const table = (by: (mutant: Mutant) => string) =>
    [...Map.groupBy(tried, ({ mutant }) => by(mutant))]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => `  ${name.padEnd(16)} ${formatCount(countOf(part, list))}`);
  const survivors = tried.filter(
    ({ mutant, outcome }) => outcome.status === 'survived' && reasonFor(list, mutant) === undefined,
  );
  const wrong = disproved(tried, list);
  return [
    ...(survivors.length > 0
      ? ['Survivors:', ...survivors.map(({ mutant }) => formatMutant(mutant)), '']
      : []),
    ...(wrong.length > 0 ? ['Explained, but caught:', ...wrong.map(formatMutant), ''] : []),
    'By group:',
    ...table(({ file }) => groupOf(file) ?? 'others'),
    'By operator:',
    ...table(({ operator }) => operator),
    `${tried.length} mutants: ${formatCount(countOf(tried, list))}`,
  ].join('\n');
}

function formatCount({ caught, explained, survived }: Count): string {
  const counted = caught + survived;
  const share = counted === 0 ? '' : ` (${((100 * caught) / counted).toFixed(1)}%)`;
  return `${caught} of ${counted} caught${share}, ${explained} equivalent`;
}
