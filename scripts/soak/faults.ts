/** Failing file operations and power losses below a run's checkpoints, on a disk in memory. */
import { faultWhileSaving } from '../../test/helpers/disk-faults.ts';
import { type Soak, trialSeed } from './soak.ts';

export const faults: Soak = {
  name: 'faults',
  claim:
    'ENOSPC, EIO, EACCES and lost power: the newest acknowledged checkpoint loads, errors say what and where',
  unit: 'faults',
  count: 100_000,
  start: ({ seed }) => ({
    async trial(index) {
      const { kind, struck } = await faultWhileSaving(trialSeed(seed, index));
      return { total: { [kind]: 1, 'struck in time': Number(struck) } };
    },
  }),
};
