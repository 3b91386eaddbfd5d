import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { conv2d, dense, flatten, layers, maxPooling2d } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';

const names = (list: readonly Layer[], shape: readonly number[] = [4]) =>
  sequentialGraph(shape, list).nodes.map(({ name }) => name);

test('layers without a name are called type, type_1, type_2, ...', () => {
  const unit = () => dense({ units: 4 });
  assert.deepEqual(names([unit(), unit(), flatten(), unit(), flatten()]), [
    'dense',
    'dense_1',
    'flatten',
    'dense_2',
    'flatten_1',
  ]);
});

test('automatic names step aside for names given before', () => {
  assert.deepEqual(
    names([dense({ units: 4, name: 'dense' }), dense({ units: 4, name: 'dense_1' }), dense({ units: 4 })]),
    ['dense', 'dense_1', 'dense_2'],
  );
});

test('the same layer twice, under the same name or not, is two layers with parameters of their own', () => {
  const shared = dense({ units: 4 });
  assert.deepEqual(
    graphParameters(sequentialGraph([4], [shared, shared])).map(({ name }) => name),
    ['dense/weight', 'dense/bias', 'dense_1/weight', 'dense_1/bias'],
  );
});

test('a name twice, and a name that files could not hold, are refused', () => {
  const twice = [dense({ units: 4, name: 'top' }), dense({ units: 2, name: 'top' })];
  assert.throws(() => sequentialGraph([4], twice), {
    name: 'ConfigError',
    message: 'dense: name: expected a name of letters, digits, _ . - that no other layer has, got "top"',
  });
  for (const name of ['', 'a/b', 'a b', 'ä', '../up']) {
    assert.throws(() => sequentialGraph([4], [dense({ units: 4, name })]), ConfigError, name);
  }
});

test('parameters go by layer and name, an activation’s by its layer', () => {
  const graph = sequentialGraph(
    [6, 6, 2],
    [conv2d({ filters: 3, kernelSize: 3, activation: 'elu' }), layers.prelu({ name: 'slope' })],
  );
  assert.deepEqual(
    graphParameters(graph).map(({ name, layer, elements }) => [name, layer, elements]),
    [
      ['conv2d/weight', 'conv2d', 54],
      ['conv2d/bias', 'conv2d', 3],
      ['slope/alpha', 'slope', 3],
    ],
  );
});

test('an error of a layer deep in the model names that layer', () => {
  const stack = [
    conv2d({ filters: 2, kernelSize: 3 }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 2, kernelSize: 3 }),
  ];
  assert.throws(() => sequentialGraph([6, 6, 1], stack), {
    name: 'ShapeError',
    message: /^conv2d "conv2d_1": input shape: expected an image of at least \[3, 3\] pixels .* got \[2, 2\]/,
  });
});

test('inputs are images, sequences or vectors, models have layers', () => {
  for (const shape of [[], [3, 0], [2, 2, 2, 2], [0], [4.5], [4, -1, 2]]) {
    assert.throws(() => sequentialGraph(shape, [flatten()]), ShapeError, JSON.stringify(shape));
  }
  assert.throws(() => sequentialGraph([4], []), {
    name: 'ConfigError',
    message: /at least one layer, got none/,
  });
  assert.throws(() => sequentialGraph([4], [dense as unknown as Layer]), {
    name: 'ConfigError',
    message: /expected layers, e\.g\. dense\(\{ units: 10 \}\), got the function .*\(call the layer function/,
  });
  assert.throws(() => sequentialGraph([4], [undefined as unknown as Layer]), ConfigError);
});
