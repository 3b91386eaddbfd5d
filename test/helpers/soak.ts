/** The trials of a soak as a test of the suite: few of them, from the same seed. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runSoak } from '../../scripts/soak/run.ts';
import type { Soak } from '../../scripts/soak/soak.ts';
import { freshState } from '../../scripts/soak/state.ts';
import { formatFigures, replayCommand } from '../../scripts/soak/summary.ts';
import { SEED } from './arbitraries.ts';

/** Runs the first `count` trials; fails with the first failure and the command that replays it. */
export async function soakBriefly(t: TestContext, soak: Soak, count: number): Promise<void> {
  const state = freshState(soak.name, SEED);
  await runSoak(soak, state, { count });
  const [first] = state.failures;
  if (first !== undefined) {
    const replay = replayCommand(soak.name, SEED, first.index);
    assert.fail(`${state.failed} of ${count} ${soak.unit} failed; the first: ${first.message}\n${replay}`);
  }
  assert.equal(state.next, count);
  t.diagnostic(`${count} ${soak.unit}, ${formatFigures(state)}`);
}
