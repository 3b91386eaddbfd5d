import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { niceAxis, spread } from '../../../bench/plots/scaling.ts';
import { SEED } from '../../helpers/arbitraries.ts';

test('labels keep their order and their distance, and stay where there is room', () => {
  assert.deepEqual(spread([10, 30, 11], 5), [10, 30, 15]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 8 }), (values) => {
      const placed = spread(values, 3).toSorted((a, b) => a - b);
      for (let i = 1; i < placed.length; i++) assert.ok(placed[i]! - placed[i - 1]! >= 3);
    }),
    { seed: SEED },
  );
});

test('an axis ends on a tick above the largest value', () => {
  assert.deepEqual(niceAxis(403), { top: 500, step: 100 });
  assert.deepEqual(niceAxis(3015), { top: 3500, step: 500 });
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 1e5, noNaN: true }), (most) => {
      const { top, step } = niceAxis(most);
      const ticks = Math.round(top / step);
      assert.ok(top >= most && ticks >= 3 && ticks <= 8, `${most}: ${ticks} ticks up to ${top}`);
    }),
    { seed: SEED },
  );
});
