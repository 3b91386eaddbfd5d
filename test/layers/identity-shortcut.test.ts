import assert from 'node:assert/strict';
import test from 'node:test';
import { ShapeError } from '../../src/errors.ts';
import { identityShortcut } from '../../src/layers/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';

test('identityShortcut takes every strides-th pixel, the last row and column of odd images too', () => {
  assert.deepEqual(
    sequentialGraph([5, 8, 3], [identityShortcut({ filters: 6, strides: 2 })]).tensors[1],
    [3, 4, 6],
  );
  assert.deepEqual(sequentialGraph([5, 8, 3], [identityShortcut({ filters: 3 })]).tensors[1], [5, 8, 3]);
});

test('identityShortcut refuses senseless options and inputs of more channels than filters', () => {
  assertRefusedOptions(identityShortcut, { filters: 0 }, 'filters');
  assertRefusedOptions(identityShortcut, { filters: 4, strides: 0 }, 'strides');
  assert.throws(
    () => sequentialGraph([4, 4, 5], [identityShortcut({ name: 'skip', filters: 4 })]),
    (error) =>
      error instanceof ShapeError &&
      error.message ===
        'identityShortcut "skip": input shape: expected at most 4 channels, the layer\'s filters, got 5',
  );
});
