import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedImages } from '../../src/data/cifar10-read.ts';

test('there is room for exactly as many images and labels as asked for, on shared memory', () => {
  const { pixels, labels } = sharedImages(7, 12);
  assert.deepEqual([pixels.length, labels.length], [84, 7]);
  for (const { buffer } of [pixels, labels]) assert.ok(buffer instanceof SharedArrayBuffer);
});
