import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { median, scatter, totalIncrease } from '../../bench/statistics.ts';
import { SEED } from '../helpers/arbitraries.ts';

const numbers = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 });

test('the median has as many values on either side, whatever their order', () => {
  assert.equal(median([5]), 5);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 2, 4, 9]), 6.5);
  assert.ok(Number.isNaN(median([])));
  fc.assert(
    fc.property(numbers, (values) => {
      const m = median(values);
      const [below, above] = [values.filter((v) => v < m).length, values.filter((v) => v > m).length];
      assert.ok(below <= values.length / 2 && above <= values.length / 2);
      assert.equal(median(values.toReversed()), m);
    }),
    { seed: SEED },
  );
});

test('the scatter is 0 for equal values, and does not depend on the unit', () => {
  assert.equal(scatter([3]), 0);
  assert.equal(scatter([4, 4, 4]), 0);
  assert.equal(scatter([8, 10, 12]), 0.2);
  assert.equal(scatter([16, 20, 24]), 0.2);
});

test('the total increase counts rises and leaves falls out', () => {
  assert.equal(totalIncrease([]), 0);
  assert.equal(totalIncrease([7, 10, 4, 5]), 4);
});
