/** Configurations of runs (config.json) under fire: read as options that the command line knows, or refused. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, FormatError } from '../../src/errors.ts';
import { argumentsOf, COMMAND, parseOptions } from '../train-cifar/options.ts';
import { wordsOf } from '../training/options.ts';
import { readConfig } from '../training/run-folder.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guard } from './fuzz/guard.ts';
import { changedJson } from './fuzz/json.ts';
import { randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

export const fuzzConfig: Soak = {
  name: 'fuzz-config',
  claim:
    'config.json of a run: read as options of the command or refused by FormatError, within 1 s and 256 MB',
  unit: 'inputs',
  count: 100_000,
  start({ seed, folder }) {
    const options = argumentsOf(
      parseOptions('--data D --limit 9 --no-augment --checkpoint-every 5'.split(' ')),
    );
    const good = { format: 'faltung-run', version: 1, command: COMMAND, options };
    const file = path.join(folder, 'config.json');
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        const text = random.chance(0.6) ? changedJson(random, good) : JSON.stringify(good, null, 2);
        const bytes = new TextEncoder().encode(text);
        writeFileSync(file, random.chance(0.5) ? changeBytes(random, bytes) : bytes);
        return guard(
          () => readConfig(COMMAND, folder, parseOptions),
          (reading) => {
            if ('error' in reading) {
              assert.ok(
                reading.error instanceof FormatError,
                `${reading.error.name}: ${reading.error.message}`,
              );
              assert.ok(!(reading.error instanceof ConfigError));
              return;
            }
            const read = reading.value;
            assert.equal(read.out, folder);
            assert.equal(read.resume, undefined);
            assert.deepEqual(parseOptions([...wordsOf(argumentsOf(read)), `--out=${folder}`]), read);
          },
        );
      },
    };
  },
};
