import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzzCifar } from '../../scripts/soak/fuzz-cifar.ts';
import { CIFAR10_CLASSES, IMAGE_BYTES, parseCifar10, RECORD_BYTES } from '../../src/data/cifar10-format.ts';
import { DataError } from '../../src/errors.ts';
import { soakBriefly } from '../helpers/soak.ts';

function parse(bytes: Uint8Array, records: number) {
  const pixels = new Uint8Array(records * IMAGE_BYTES);
  const labels = new Int32Array(records);
  parseCifar10('some/data_batch_1.bin', bytes, pixels, labels, records);
  return { pixels, labels };
}

test('pixel (y, x, c) of a record is its byte 1 + 1024 c + 32 y + x', () => {
  fc.assert(
    fc.property(
      fc.nat(2),
      fc.nat(31),
      fc.nat(31),
      fc.nat(2),
      fc.integer({ min: 1, max: 255 }),
      (n, y, x, c, value) => {
        const bytes = new Uint8Array(3 * RECORD_BYTES);
        bytes[n * RECORD_BYTES + 1 + 1024 * c + 32 * y + x] = value;
        const { pixels } = parse(bytes, 3);
        assert.equal(pixels[((n * 32 + y) * 32 + x) * 3 + c], value);
        assert.equal(
          pixels.reduce((a, b) => a + b, 0),
          value,
        );
      },
    ),
    { numRuns: 100, seed: 21 },
  );
});

test('labels are the first bytes of the records', () => {
  const bytes = new Uint8Array(10 * RECORD_BYTES);
  for (let i = 0; i < 10; i++) bytes[i * RECORD_BYTES] = 9 - i;
  assert.deepEqual([...parse(bytes, 10).labels], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  assert.equal(CIFAR10_CLASSES.length, 10);
});

test('a file of another size is named with both sizes', () => {
  for (const size of [0, 2 * RECORD_BYTES - 1, 2 * RECORD_BYTES + 1]) {
    assert.throws(
      () => parse(new Uint8Array(size), 2),
      (error: Error) =>
        error instanceof DataError &&
        error.message.includes(
          `some/data_batch_1.bin: expected 6146 bytes (2 records of 3073), got ${size} bytes`,
        ),
    );
  }
});

test('a label above 9 is named with its record and byte offset', () => {
  const bytes = new Uint8Array(3 * RECORD_BYTES);
  bytes[2 * RECORD_BYTES] = 10;
  assert.throws(
    () => parse(bytes, 3),
    (error: Error) =>
      error instanceof DataError &&
      error.message.includes(
        'data_batch_1.bin, record 2 at byte offset 6146: expected a label from 0 to 9, got 10',
      ),
  );
});

test('whatever a file holds, it is read as defined or refused', async (t) => {
  await soakBriefly(t, fuzzCifar, 1000);
});

test('every truncation is noticed', () => {
  const bytes = new Uint8Array(2 * RECORD_BYTES);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => parse(bytes.subarray(0, length), 2), DataError);
  }
});
