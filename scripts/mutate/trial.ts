/** Tries a mutant: the relevant tests, one after the other, until one of them fails or takes much too long. */
import type { SourceFile } from '../check/offence.ts';
import { applyEdit, type Mutant } from './mutants.ts';
import { relevantTests } from './relevant-tests.ts';
import type { Sandbox } from './sandbox.ts';

/** How a mutant fared. */
export interface Outcome {
  readonly status: 'caught' | 'survived';
  /** The test that failed or went over its limit, and how; undefined where none did. */
  readonly by: string | undefined;
  readonly seconds: number;
}

/** Without a mistake a test takes its baseline; with one it may take so much longer before it counts as hung. */
const LIMIT_SECONDS = 20;
const LIMIT_FACTOR = 6;

/** Seconds that each test takes without a mistake; filled in as tests are needed. */
export type Baselines = Record<string, number>;

/**
 * Tries a mutant on the `most` tests that are nearest (default all). Undefined where the sandbox was interrupted. Throws
 * where a test fails without a mistake.
 */
export async function tryMutant(
  sandbox: Sandbox,
  sources: readonly SourceFile[],
  mutant: Mutant,
  baselines: Baselines,
  most = Number.POSITIVE_INFINITY,
): Promise<Outcome | undefined> {
  const text = sources.find(({ path }) => path === mutant.file)!.text;
  let spent = 0;
  for (const test of relevantTests(sources, mutant.file).slice(0, most)) {
    if (baselines[test] === undefined) {
      const baseline = await sandbox.run(test, 300);
      if (baseline.verdict === 'interrupted') return undefined;
      if (baseline.verdict !== 'passed') {
        throw new Error(`${test} ${baseline.verdict} without a mistake: ${baseline.failure ?? ''}`);
      }
      baselines[test] = baseline.seconds;
    }
    const limit = LIMIT_SECONDS + LIMIT_FACTOR * baselines[test];
    const run = await sandbox.withFile(mutant.file, applyEdit(text, mutant), () => sandbox.run(test, limit));
    if (run.verdict === 'interrupted') return undefined;
    spent += run.seconds;
    if (run.verdict === 'failed') return { status: 'caught', by: `${test}: ${run.failure}`, seconds: spent };
    if (run.verdict === 'timeout') return { status: 'caught', by: `${test}: time limit`, seconds: spent };
  }
  return { status: 'survived', by: undefined, seconds: spent };
}
