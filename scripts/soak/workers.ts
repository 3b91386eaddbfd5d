/** Workers that die, fail or hang at random moments of a training run with checkpoints. */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { dieInTraining } from '../../test/helpers/worker-deaths.ts';
import { type Soak, trialSeed } from './soak.ts';

export const workers: Soak = {
  name: 'workers',
  claim:
    'a lost worker costs no bit: the step is run again, or the run ends by name and its checkpoint goes on',
  unit: 'runs',
  count: 1000,
  start({ seed, folder }) {
    // A warning for every step that is run again would bury the progress.
    process.removeAllListeners('warning');
    return {
      async trial(index) {
        const own = mkdtempSync(path.join(folder, 'run-'));
        try {
          const { verdict, noticedMs } = await dieInTraining(trialSeed(seed, index), own);
          const largest = Number.isNaN(noticedMs) ? {} : { [`ms to notice, ${verdict}`]: noticedMs };
          return { largest, total: { [verdict]: 1 } };
        } finally {
          rmSync(own, { recursive: true, force: true });
        }
      },
    };
  },
};
