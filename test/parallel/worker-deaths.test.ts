/** Workers that die, fail or hang at random places of a training run: a small number of the soak's trials. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { dieInTraining } from '../helpers/worker-deaths.ts';

test('random faults at random places are noticed within 2 s and cost no bit', {
  timeout: 120_000,
}, async (t) => {
  let worst = 0;
  for (let trial = 0; trial < 12; trial++) {
    const folder = mkdtempSync(path.join(tmpdir(), 'faltung-deaths-'));
    try {
      const { noticedMs } = await dieInTraining(1000 + trial, folder);
      if (noticedMs > worst) worst = noticedMs;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  t.diagnostic(`noticed after at most ${worst} ms`);
});
