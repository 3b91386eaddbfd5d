/** Archives (.tar.gz) under fire: whatever they hold, no name leads out of a folder and no limit is passed. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tarEntries } from '../../src/data/untar.ts';
import { FormatError } from '../../src/errors.ts';
import { type TarMember, tar } from '../../test/data/tar-writer.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guard } from './fuzz/guard.ts';
import { EDGE_NAMES, type Random, randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

const LIMITS = { maxBytes: 100_000, maxEntries: 8 };
const NAMES = ['a', 'top/a', 'top/../a', '/a', './a', 'a/..', 'a//b', 'C:a', '..', ...EDGE_NAMES];
const TYPES = ['0', '0', '0', '\0', '5', 'x', 'g', '1', '2', '3', '7', 'L', 'K'];

/** A member, often a hostile one; headers have right checksums, so that what is in them is looked at. */
function member(random: Random): TarMember {
  const content = new Uint8Array(random.pick([0, 1, 511, 512, 513, 2000])).fill(random.int(256));
  return {
    name: random.chance(0.8) ? `top/file${random.int(1000)}` : random.pick(NAMES),
    content,
    ...(random.chance(0.15) && { type: random.pick(TYPES) }),
    ...(random.chance(0.05) && { size: random.pick([0, 1, 512, 2 ** 24, 2 ** 32, 8 ** 11 - 1]) }),
    ...(random.chance(0.05) && { prefix: random.pick(NAMES) }),
    ...(random.chance(0.02) && { checksumError: random.int(3) - 1 }),
  };
}

interface Unpacked {
  readonly name: string;
  readonly size: number;
  readonly received: number;
}

async function unpack(archive: string): Promise<Unpacked[]> {
  const found: Unpacked[] = [];
  for await (const { name, size, body } of tarEntries(archive, LIMITS) as AsyncIterable<TarEntry>) {
    let received = 0;
    for await (const piece of body) received += piece.length;
    found.push({ name, size, received });
  }
  return found;
}

export const fuzzTar: Soak = {
  name: 'fuzz-tar',
  claim:
    'archives (.tar.gz): no name leads out of its folder, no limit is passed, or FormatError; 1 s, 256 MB',
  unit: 'inputs',
  count: 100_000,
  start({ seed, folder }) {
    const archive = path.join(folder, 'fuzzed.tar.gz');
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        const members = Array.from({ length: random.int(10) }, () => member(random));
        let bytes: Uint8Array = tar(members, random.chance(0.9));
        if (random.chance(0.3)) bytes = changeBytes(random, bytes, 512);
        // A little that unpacks to more than is allowed.
        if (random.chance(0.01)) bytes = new Uint8Array(20_000_000);
        bytes = gzipSync(bytes, { level: 1 });
        if (random.chance(0.2)) bytes = changeBytes(random, bytes, 20);
        writeFileSync(archive, bytes);
        return guard(
          () => unpack(archive),
          (reading) => {
            if ('error' in reading) {
              assert.ok(reading.error instanceof FormatError, reading.error.name);
              return;
            }
            const { value } = reading;
            assert.ok(value.length <= LIMITS.maxEntries);
            assert.ok(value.reduce((sum, { size }) => sum + size, 0) <= LIMITS.maxBytes);
            for (const { name, size, received } of value) {
              assert.equal(received, size, `${name}: size`);
              const target = path.resolve('/folder', name);
              assert.ok(
                target.startsWith('/folder/') && !name.includes('\\'),
                `${JSON.stringify(name)} leads out`,
              );
            }
          },
        );
      },
    };
  },
};
