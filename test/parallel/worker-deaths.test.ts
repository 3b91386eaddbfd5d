/** Workers that die, fail or hang at random places of a training run: a small number of the soak's trials. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { dieInTraining } from '../helpers/worker-deaths.ts';

test('random faults at random places cost no bit', { timeout: 60_000 }, async () => {
  for (let trial = 0; trial < 12; trial++) {
    const folder = mkdtempSync(path.join(tmpdir(), 'faltung-deaths-'));
    try {
      await dieInTraining(1000 + trial, folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
