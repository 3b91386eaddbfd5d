import assert from 'node:assert/strict';
import test from 'node:test';
import {
  add,
  average,
  conv2d,
  dense,
  globalAveragePooling2d,
  input,
  maximum,
  multiply,
  reshape,
  type SymbolicTensor,
} from '../../src/index.ts';
import { checkExactGradients, checkNetwork } from '../helpers/conformance-graph.ts';

test('inputs that cannot be broadcast are refused with what the others are broadcast to', () => {
  for (const [type, make] of Object.entries({ add, average, maximum, multiply })) {
    const tensors = [input({ shape: [3, 4, 1] }), input({ shape: [5] }), input({ shape: [4, 4, 5] })];
    assert.throws(() => make({ name: 'mine' })(tensors), {
      name: 'ShapeError',
      message: `${type} "mine": input 2: expected extents as in [3, 4, 5], or 1, got [4, 4, 5]`,
    });
    assert.throws(() => make()([tensors[2]!, input({ shape: [4] })]), {
      message: `${type}: input 1: expected extents as in [4, 4, 5], or 1, got [4]`,
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

test('shapes are broadcast as in numpy: aligned at the last axis, extents of 1 stand for all', () => {
  const shapes = (...inputs: number[][]) =>
    multiply()(inputs.map((shape, i) => input({ shape, name: `input${i}` }))).shape;
  assert.deepEqual(shapes([3, 4, 5], [1, 1, 5]), [3, 4, 5]);
  assert.deepEqual(shapes([5], [3, 4, 1]), [3, 4, 5]);
  assert.deepEqual(shapes([3, 1, 1], [1, 4, 1], [1]), [3, 4, 1]);
  assert.deepEqual(shapes([4, 5], [3, 1, 5]), [3, 4, 5]);
});

test('squeeze and excitation: channels weighted by what the whole image says, for engines, shards and batch-mates', () => {
  const excite = (x: SymbolicTensor) => {
    const weights = dense({ units: 9, activation: 'sigmoid' })(globalAveragePooling2d()(x));
    return multiply()([x, reshape({ targetShape: [1, 1, 9] })(weights)]);
  };
  checkNetwork(excite, [3, 4, 9], 44);
  // Pixels weighted by a map of one channel; gradients are added to those that are there.
  checkNetwork((x) => add()([x, multiply()([x, conv2d({ filters: 1, kernelSize: 1 })(x)])]), [3, 4, 5], 45);
});
