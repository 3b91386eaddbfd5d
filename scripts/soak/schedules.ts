/** The committed fingerprint under adversarial timing: workers that pause at random between kernel calls. */
import { createHash } from 'node:crypto';
import * as faltung from '../../src/index.ts';
import { faultyEngine } from '../../test/helpers/faults.ts';
import { differences, readExpected } from '../bits/expected.ts';
import { fingerprint } from '../bits/recipe.ts';
import { type Soak, trialSeed } from './soak.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export const schedules: Soak = {
  name: 'schedules',
  claim: 'no timing of 1 to 8 workers changes a bit of a training run',
  unit: 'schedules',
  count: 500,
  start({ seed }) {
    const expected = readExpected();
    return {
      async trial(index) {
        const own = trialSeed(seed, index);
        const options = {
          threads: 1 + (own % 8),
          engine: own % 5 === 0 ? 'scalar' : 'simd',
          wide: own % 3 > 0,
        } as const;
        const engine = faultyEngine(options, { pauseSeed: own % 100_000, pauseShare: (1 + (own % 4)) / 4 });
        try {
          const different = differences(expected, await fingerprint(faltung, engine, sha256));
          if (different.length > 0)
            throw new Error(`other bits (${different.join(', ')}) with ${JSON.stringify(options)}`);
        } finally {
          await engine.close();
        }
        return { total: { [`${options.threads} workers`]: 1 } };
      },
    };
  },
};
