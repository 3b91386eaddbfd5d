/**
 * CIFAR-10's binary files under fire: what is accepted is exactly what has the right size and labels from 0 to 9, and
 * its pixels are those of the format's definition.
 */
import assert from 'node:assert/strict';
import { IMAGE_BYTES, parseCifar10, RECORD_BYTES } from '../../src/data/cifar10-format.ts';
import { DataError } from '../../src/errors.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guardSync } from './fuzz/guard.ts';
import { type Random, randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

/** A valid file of `records` records. */
function cifarFile(random: Random, records: number): Uint8Array {
  const bytes = new Uint8Array(records * RECORD_BYTES);
  // A few random bytes are enough to see every plane and row move.
  const pattern = Uint8Array.from({ length: 251 }, () => random.int(256));
  for (let i = 0; i < bytes.length; i++) bytes[i] = pattern[i % 251]!;
  for (let record = 0; record < records; record++) bytes[record * RECORD_BYTES] = random.int(10);
  return bytes;
}

/** Whether a file of this many records is one, by the format's definition. */
function isValid(bytes: Uint8Array, records: number): boolean {
  if (bytes.length !== records * RECORD_BYTES) return false;
  for (let record = 0; record < records; record++) if (bytes[record * RECORD_BYTES]! > 9) return false;
  return true;
}

/** Throws unless pixel (y, x, channel) of every record is its byte 1 + 1024 channel + 32 y + x. */
function checkPixels(bytes: Uint8Array, pixels: Uint8Array, labels: Int32Array, records: number): void {
  for (let record = 0; record < records; record++) {
    const from = record * RECORD_BYTES;
    assert.equal(labels[record], bytes[from]);
    for (let i = 0; i < IMAGE_BYTES; i++) {
      const expected = bytes[from + 1 + 1024 * (i % 3) + Math.floor(i / 3)];
      if (pixels[record * IMAGE_BYTES + i] !== expected) assert.fail(`record ${record}, pixel byte ${i}`);
    }
  }
}

export const fuzzCifar: Soak = {
  name: 'fuzz-cifar',
  claim: "CIFAR-10's binary files: read exactly as defined or refused by DataError, within 1 s and 256 MB",
  unit: 'inputs',
  count: 100_000,
  start({ seed }) {
    const pixels = new Uint8Array(3 * IMAGE_BYTES);
    const labels = new Int32Array(3);
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        const records = 1 + random.int(3);
        let bytes = cifarFile(random, records);
        for (let changes = random.int(4); changes > 0; changes--) bytes = changeBytes(random, bytes, 1);
        if (random.chance(0.2)) bytes[RECORD_BYTES * random.int(records)] = random.int(256);
        const read = () => parseCifar10('fuzzed.bin', bytes, pixels, labels, records);
        return guardSync(read, (reading) => {
          if ('error' in reading) {
            assert.ok(reading.error instanceof DataError, reading.error.name);
            assert.ok(!isValid(bytes, records), `a valid file was refused: ${reading.error.message}`);
            return;
          }
          assert.ok(isValid(bytes, records), 'a file that is none was read');
          checkPixels(bytes, pixels, labels, records);
        });
      },
    };
  },
};
