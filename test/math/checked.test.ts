import assert from 'node:assert/strict';
import test from 'node:test';
import { ShapeError } from '../../src/errors.ts';
import { checkedProduct } from '../../src/math/checked.ts';

test('checkedProduct is the exact product, 1 for no factors, 0 beside anything', () => {
  assert.equal(checkedProduct('op', 'shape', []), 1);
  assert.equal(checkedProduct('op', 'shape', [3, 4, 5]), 60);
  assert.equal(checkedProduct('op', 'shape', [2 ** 40, 2 ** 40, 0]), 0);
  assert.equal(checkedProduct('op', 'shape', [6361, 69431, 20394401]), Number.MAX_SAFE_INTEGER);
});

test('checkedProduct refuses what is no count and what would lose digits', () => {
  assert.throws(() => checkedProduct('op', 'shape', [2 ** 27, 2 ** 26]), {
    name: 'ShapeError',
    message: 'op: shape: expected a product of at most 9007199254740991, got [134217728, 67108864]',
  });
  assert.throws(() => checkedProduct('op', 'shape', [2 ** 52, 3, 3]), ShapeError);
  for (const bad of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
    assert.throws(() => checkedProduct('op', 'shape', [bad, 0]), ShapeError);
  }
});
