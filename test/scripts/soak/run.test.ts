/** What every soak is promised: trials by index, kept figures and failures, an end at any time. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { soaks } from '../../../scripts/soak/index.ts';
import { replayTrial, runSoak } from '../../../scripts/soak/run.ts';
import { type Soak, trialSeed } from '../../../scripts/soak/soak.ts';
import { freshState, KEPT_FAILURES } from '../../../scripts/soak/state.ts';
import { summarize } from '../../../scripts/soak/summary.ts';

/** A soak whose trial throws where `fails` says so. */
function soakOf(fails: (index: number) => boolean, seen: number[] = []): Soak {
  return {
    name: 'made-up',
    claim: 'nothing in particular',
    unit: 'numbers',
    count: 10,
    start: () => ({
      trial(index) {
        seen.push(index);
        if (fails(index)) throw new RangeError(`no ${index}`);
        return { largest: { index }, total: { even: index % 2 === 0 ? 1 : 0 } };
      },
    }),
  };
}

test('trials come in order; the largest and the sums of their figures are kept', async () => {
  const seen: number[] = [];
  const state = freshState('made-up', 4);
  await runSoak(
    soakOf(() => false, seen),
    state,
    { count: 7 },
  );
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([state.next, state.failed], [7, 0]);
  assert.deepEqual([state.largest, state.total], [{ index: 6 }, { even: 4 }]);
});

test('a failure is kept with its index and does not end the run; its replay throws the same', async () => {
  const soak = soakOf((index) => index === 3);
  const state = freshState('made-up', 4);
  await runSoak(soak, state, { count: 5 });
  assert.deepEqual([state.next, state.failed], [5, 1]);
  assert.deepEqual(state.failures, [{ index: 3, message: 'RangeError: no 3' }]);
  const text = summarize(soak, state, 'FILE');
  assert.match(text, /FAILED made-up, seed 4, index 3: RangeError: no 3/);
  assert.match(text, /npm run soak -- --what made-up --seed 4 --index 3\n/);
  assert.match(text, /made-up: 5 numbers, 1 failed, seed 4, 0:00, largest index 4, even 3$/);
  await assert.rejects(replayTrial(soak, 4, 3), /^RangeError: no 3$/);
  assert.deepEqual((await replayTrial(soak, 4, 2)).total, { even: 1 });
});

test('all failures are counted, the first are kept', async () => {
  const state = freshState('made-up', 4);
  await runSoak(
    soakOf(() => true),
    state,
    { count: 250 },
  );
  assert.deepEqual([state.failed, state.failures.length], [250, KEPT_FAILURES]);
});

test('a trial that rejects has failed like one that throws', async () => {
  const soak: Soak = {
    ...soakOf(() => false),
    start: () => ({ trial: () => Promise.reject(new Error('late')) }),
  };
  const state = freshState('made-up', 1);
  await runSoak(soak, state, { count: 2 });
  assert.equal(state.failed, 2);
});

test('the signal ends the run after the trial in hand; the next run does the rest, to the same figures', async () => {
  const seen: number[] = [];
  const slow: Soak = {
    ...soakOf(() => false),
    start: () => ({
      async trial(index) {
        seen.push(index);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { total: { sum: index } };
      },
    }),
  };
  const controller = new AbortController();
  const state = freshState('made-up', 1);
  const run = runSoak(slow, state, { count: 12, signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await run;
  assert.ok(state.next > 0 && state.next < 12, `stopped after ${state.next}`);
  await runSoak(slow, state, { count: 12 });
  assert.deepEqual(
    seen,
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.deepEqual(state.total, { sum: 66 });
});

test('a soak has a folder of its own, which is removed when it ends, well or badly', async () => {
  let folder = '';
  let closed = 0;
  const littering: Soak = {
    ...soakOf(() => false),
    start: (context) => {
      folder = context.folder;
      assert.deepEqual(readdirSync(folder), []);
      writeFileSync(path.join(folder, 'litter'), 'x');
      return { trial: () => undefined, close: () => void closed++ };
    },
  };
  await runSoak(littering, freshState('made-up', 1), { count: 1 });
  assert.ok(folder !== '' && !existsSync(folder));
  const failing: Soak = {
    ...littering,
    start: (context) => {
      folder = context.folder;
      throw new Error('cannot start');
    },
  };
  await assert.rejects(runSoak(failing, freshState('made-up', 1), { count: 1 }), /cannot start/);
  assert.ok(!existsSync(folder));
  assert.equal(closed, 1);
});

test('seeds of neighbouring trials and runs have nothing in common', () => {
  const seeds = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    for (let index = 0; index < 500; index++) seeds.add(trialSeed(seed, index));
  }
  // Of 20,000 draws from 2^31 numbers about 0.1 coincide.
  assert.ok(seeds.size >= 19_998, `${seeds.size} seeds`);
  assert.ok([...seeds].every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31));
});

test('soaks have names of their own, claims and counts', () => {
  const names = soaks.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, claim, unit, count } of soaks) {
    assert.match(name, /^[a-z][a-z0-9-]*$/);
    assert.notEqual(name, 'list');
    assert.ok(claim.length > 10 && !claim.includes('\n') && /^[a-z]+$/.test(unit) && count >= 20, name);
  }
});
