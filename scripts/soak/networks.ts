/** Every network of the zoo in its full size, saved and loaded. */
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { load } from '../../src/index.ts';
import { assertSameBits } from '../../test/helpers/exact.ts';
import { networks as zoo } from '../networks/networks.ts';
import { type Soak, trialSeed } from './soak.ts';

const NAMES = Object.keys(zoo);

export const networks: Soak = {
  name: 'networks',
  claim:
    'every network of the zoo, in its full size, comes back from its file bit for bit, with the same table',
  unit: 'networks',
  count: NAMES.length,
  start: ({ seed, folder }) => ({
    async trial(index) {
      const name = NAMES[index % NAMES.length]!;
      const file = path.join(folder, `${name}.safetensors`);
      try {
        await using model = zoo[name]!({ seed: trialSeed(seed, index) });
        await model.save(file);
        await using again = await load(file);
        const found = again.getWeights();
        for (const [key, { data }] of Object.entries(model.getWeights())) {
          assertSameBits(found[key]!.data, data, `${name}: ${key}`);
        }
        const options = { batchSize: 1, threads: 1 };
        if (again.summary(options) !== model.summary(options)) throw new Error(`${name}: another table`);
        return { total: { parameters: model.parameterCount, bytes: statSync(file).size } };
      } finally {
        rmSync(file, { force: true });
      }
    },
  }),
};
