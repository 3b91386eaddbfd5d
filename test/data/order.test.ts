import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epochOrder, trainValidationSplit } from '../../src/data/order.ts';
import { ConfigError } from '../../src/errors.ts';

const sorted = (indices: Uint32Array) => [...indices].sort((a, b) => a - b);
const upTo = (size: number) => Array.from({ length: size }, (_, i) => i);

test('an epoch visits each sample once, in an order that is a function of seed, epoch and size', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(1000), fc.nat(300), (seed, epoch, size) => {
      const order = epochOrder(seed, epoch, size);
      assert.deepEqual(sorted(order), upTo(size));
      epochOrder(seed + 1, epoch + 1, 7);
      assert.deepEqual(order, epochOrder(seed, epoch, size));
    }),
    { numRuns: 100, seed: 21 },
  );
});

test('epochs and seeds have orders of their own', () => {
  const first = epochOrder(21, 0, 1000);
  for (const other of [epochOrder(21, 1, 1000), epochOrder(22, 0, 1000)]) {
    const agreeing = first.filter((value, i) => value === other[i]).length;
    // Two random orders agree in 1 place on average (Poisson).
    assert.ok(agreeing < 10, `${agreeing} of 1000 places agree`);
  }
});

test('both parts of a split hold each sample once, in the sizes asked for', () => {
  fc.assert(
    fc.property(
      fc.nat(500),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.nat(),
      (size, fraction, seed) => {
        const { train, validation } = trainValidationSplit(size, fraction, seed);
        assert.equal(validation.length, Math.round(size * fraction));
        assert.deepEqual(sorted(Uint32Array.from([...train, ...validation])), upTo(size));
        assert.deepEqual(trainValidationSplit(size, fraction, seed), { train, validation });
      },
    ),
    { numRuns: 100, seed: 21 },
  );
});

test("the notebook's split leaves 45000 of 50000, and the first samples of each part are spread out", () => {
  const { train, validation } = trainValidationSplit(50_000, 0.1, 21);
  assert.deepEqual([train.length, validation.length], [45_000, 5000]);
  for (const part of [train, validation]) {
    const mean = part.subarray(0, 500).reduce((a, b) => a + b, 0) / 500;
    // Five standard deviations of a mean of 500 uniform indices: 50000 / sqrt(12 * 500).
    assert.ok(Math.abs(mean - 25_000) < 5 * 645.5, `mean ${mean}`);
  }
  assert.notDeepEqual(trainValidationSplit(50_000, 0.1, 22).validation, validation);
});

test('a fraction outside [0, 1) is refused', () => {
  for (const fraction of [-0.1, 1, Number.NaN]) {
    assert.throws(
      () => trainValidationSplit(10, fraction, 21),
      (error) =>
        error instanceof ConfigError && /validationSplit: expected a fraction from 0/.test(error.message),
    );
  }
});
