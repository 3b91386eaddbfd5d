import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functional, smallConvNet } from '../../src/index.ts';

test('its default has 1,177,706 parameters; small images get fewer stages', () => {
  const parameters = (shape: readonly [number, number, number], classes: number) =>
    functional(smallConvNet({ inputShape: shape, classes })).parameterCount;
  // Convolutions 3x3 without bias, four numbers a channel for each normalisation, the classifier.
  const stage = (from: number, to: number) => 9 * from * to + 9 * to * to + 2 * 4 * to;
  const all = stage(3, 32) + stage(32, 64) + stage(64, 128) + stage(128, 256);
  assert.equal(all + 257 * 10, 1_177_706);
  assert.equal(functional(smallConvNet()).parameterCount, all + 257 * 10);
  assert.equal(parameters([8, 200, 3], 4), stage(3, 32) + stage(32, 64) + 65 * 4);
  assert.equal(parameters([5, 5, 1], 2), stage(1, 32) + 33 * 2);
  assert.equal(parameters([31, 33, 3], 2), stage(3, 32) + stage(32, 64) + stage(64, 128) + 129 * 2);
});
