/** Shapes: counted, compared, printed, and refused with their numbers in the message. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import { checkShape, elementCount, formatShape, MAX_ELEMENTS, sameShape } from '../../src/tensor/shape.ts';
import { check } from '../helpers/arbitraries.ts';

const shapes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 });

describe('a shape', () => {
  it('has as many elements as its box has cells', () => {
    check(shapes, 200, (shape) => {
      let cells = 1;
      for (const extent of shape)
        cells = Array.from({ length: extent }, () => cells).reduce((a, b) => a + b, 0);
      assert.equal(elementCount(shape), cells);
    });
    assert.equal(elementCount([]), 1);
    assert.equal(elementCount([3, 0, 5]), 0);
  });

  it('may have 2^30 elements and no more', () => {
    assert.equal(elementCount([2 ** 15, 2 ** 15]), MAX_ELEMENTS);
    assert.throws(() => elementCount([2 ** 15, 2 ** 15 + 1]), {
      name: 'ShapeError',
      message: 'tensor: [32768, 32769]: expected at most 1073741824 elements, got 1073774592',
    });
    assert.throws(() => checkShape('reshape', 'target', [2 ** 31]), {
      name: 'ShapeError',
      message: 'reshape: target [2147483648]: expected at most 1073741824 elements, got 2147483648',
    });
  });

  it('is equal to shapes of the same extents in the same order only', () => {
    check(fc.tuple(shapes, shapes), 200, ([a, b]) => {
      assert.ok(sameShape(a, [...a]));
      assert.ok(!sameShape(a, [...a, 1]));
      assert.equal(sameShape(a, b), formatShape(a) === formatShape(b));
    });
  });

  it('prints as it is written', () => {
    assert.equal(formatShape([32, 32, 3]), '[32, 32, 3]');
    assert.equal(formatShape([]), '[]');
  });

  it('passes the check when it has the rank and only positive integers', () => {
    check(shapes, 100, (shape) => {
      checkShape('test', 'shape', shape);
      checkShape('test', 'shape', shape, shape.length);
      assert.throws(() => checkShape('test', 'shape', shape, shape.length + 1), ShapeError);
    });
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null]) {
      assert.throws(() => checkShape('test', 'shape', [2, wrong as number]), ShapeError);
    }
    assert.throws(() => checkShape('conv2d', 'input shape', [32, 0, 3], 3), {
      message: 'conv2d: input shape: expected an image [H, W, C], 3 positive integers, got [32,0,3]',
    });
    assert.throws(() => checkShape('conv2d', 'input shape', 7 as never), ShapeError);
  });
});
