/** kill -9 at random moments of a process that saves checkpoints and a model without end. */
import { killWhileSaving } from '../../test/helpers/kill-while-saving.ts';
import { type Soak, trialSeed } from './soak.ts';

export const kill: Soak = {
  name: 'kill',
  claim:
    'kill -9 while saving: the newest acknowledged checkpoint loads, no file is damaged, no litter stays',
  unit: 'kills',
  count: 10_000,
  start: ({ seed, folder }) => ({
    async trial(index) {
      const { acknowledged, interrupted } = await killWhileSaving(folder, trialSeed(seed, index));
      return { total: { acknowledged, 'in the middle of a file': Number(interrupted) } };
    },
  }),
};
