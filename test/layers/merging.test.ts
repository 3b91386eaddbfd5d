import assert from 'node:assert/strict';
import test from 'node:test';
import { add, average, input, maximum, multiply } from '../../src/index.ts';
import { checkExactGradients, checkNetwork } from '../helpers/conformance-graph.ts';

test('inputs of different shapes are refused with both', () => {
  for (const [type, make] of Object.entries({ average, maximum, multiply })) {
    const tensors = [input({ shape: [3, 4, 5] }), input({ shape: [3, 4, 1] })];
    assert.throws(() => make({ name: 'mine' })(tensors), {
      name: 'ShapeError',
      message: `${type} "mine": input 1: expected the shape of input 0, [3, 4, 5], got [3, 4, 1]`,
    });
    assert.throws(() => make()(tensors[0]!), {
      name: 'ConfigError',
      message: `${type}: inputs: expected a list of two or more tensors, got 1`,
    });
  }
});

test('a tensor may be merged with itself: a square has the gradient 2x, exactly', () => {
  checkExactGradients((x) => multiply()([x, x]), [3, 2, 5], 40);
  checkExactGradients((x) => add()([x, multiply()([x, x])]), [7], 41);
});

test('merged branches are the same for engines, shards and batch-mates, and add to gradients that are there', () => {
  checkNetwork((x) => multiply()([x, average()([x, maximum()([x, add()([x, x])])])]), [3, 4, 5], 42);
  checkNetwork((x) => maximum()([multiply()([x, x, x]), x, average()([x, x])]), [9], 43);
});
