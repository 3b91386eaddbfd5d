import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { measureStandardization } from '../../src/data/normalization.ts';
import { DataError } from '../../src/errors.ts';

test('mean and standard deviation equal those of the definition, over the chosen images alone', () => {
  const length = 12;
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 5 * length, maxLength: 5 * length }),
      fc.uniqueArray(fc.nat(4), { minLength: 1 }),
      (pixels, chosen) => {
        const measured = measureStandardization(pixels, length, 3, Uint32Array.from(chosen));
        for (let c = 0; c < 3; c++) {
          const values = chosen.flatMap((image) =>
            [0, 1, 2, 3].map((i) => pixels[image * length + 3 * i + c]! / 255),
          );
          const mean = values.reduce((a, b) => a + b) / values.length;
          const variance = values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / values.length;
          assert.ok(Math.abs(measured.mean[c]! - mean) < 1e-14);
          const std = variance < 1e-20 ? 1 : Math.sqrt(variance);
          assert.ok(Math.abs(measured.std[c]! - std) < 1e-12, `${measured.std[c]} for ${std}`);
        }
      },
    ),
    { numRuns: 200, seed: 21 },
  );
});

test('the order of the images changes no bit', () => {
  const pixels = Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 7 + i) & 255);
  const forward = Uint32Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual(
    measureStandardization(pixels, 30, 3, forward),
    measureStandardization(pixels, 30, 3, forward.toReversed()),
  );
});

test('a constant channel gets a standard deviation of 1, and no images at all are refused', () => {
  const constant = measureStandardization(new Uint8Array(6).fill(255), 6, 3, new Uint32Array([0]));
  assert.deepEqual(constant, { kind: 'standardize', mean: [1, 1, 1], std: [1, 1, 1] });
  assert.throws(() => measureStandardization(new Uint8Array(0), 6, 3, new Uint32Array(0)), DataError);
});
