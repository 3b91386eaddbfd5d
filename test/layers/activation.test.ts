import assert from 'node:assert/strict';
import test from 'node:test';
import { activation, conv2d, dense, prelu } from '../../src/layers/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';

test('unknown functions, and slopes that would hide the sign of the input, are refused', () => {
  assertRefusedOptions(activation, { function: 'Relu' }, 'function');
  assertRefusedOptions(activation, {}, 'function');
  for (const alpha of [-0.1, Number.NaN, Infinity]) {
    assertRefusedOptions(activation, { function: 'leakyRelu', alpha }, 'alpha');
    assertRefusedOptions(activation, { function: 'elu', alpha }, 'alpha');
  }
  assertRefusedOptions(prelu, { alphaInitializer: 'none' }, 'alphaInitializer');
});

test('leaky ReLU has the slope 0.01, ELU the scale 1, unless asked otherwise', () => {
  assert.deepEqual(activation({ function: 'leakyRelu' }).config, { function: 'leakyRelu', alpha: 0.01 });
  assert.deepEqual(activation({ function: 'elu' }).config, { function: 'elu', alpha: 1 });
  assert.deepEqual(activation({ function: 'elu', alpha: 0.5 }).config, { function: 'elu', alpha: 0.5 });
});

test('swish and hard SiLU are second names: configurations and files hold the first ones', () => {
  assert.deepEqual(activation({ function: 'swish' }).config, { function: 'silu', alpha: 1 });
  assert.deepEqual(activation({ function: 'hardSilu' }).config, { function: 'hardSwish', alpha: 1 });
  assert.equal(
    (dense({ units: 2, activation: 'swish' }).config as { activation: string }).activation,
    'silu',
  );
  assertRefusedOptions(activation, { function: 'toString' }, 'function');
});

test('an activation that the kernels do not fuse follows under its layer’s name', () => {
  const graph = sequentialGraph(
    [4, 4, 1],
    [
      conv2d({ filters: 2, kernelSize: 3, activation: 'gelu', name: 'first' }),
      conv2d({ filters: 2, kernelSize: 2, activation: 'relu' }),
      activation({ function: 'linear' }),
    ],
  );
  assert.deepEqual(
    graph.nodes.map(({ name, owner }) => [name, owner]),
    [
      ['first', 'first'],
      ['first/activation', 'first'],
      ['conv2d', 'conv2d'],
      ['activation', 'activation'],
    ],
  );
  const twice = sequentialGraph(
    [3],
    [dense({ units: 2, activation: 'tanh' }), activation({ function: 'tanh' })],
  );
  assert.deepEqual(
    twice.nodes.map(({ name }) => name),
    ['dense', 'dense/activation', 'activation'],
  );
});

test('prelu has one alpha a channel, zero at first', () => {
  const [image, vector] = [[3, 4, 5], [6]].map(
    (shape) => sequentialGraph(shape, [prelu({})]).nodes[0]!.parameters,
  );
  assert.deepEqual(image, [{ name: 'alpha', shape: [5], initializer: 'zeros' }]);
  assert.deepEqual(vector, [{ name: 'alpha', shape: [6], initializer: 'zeros' }]);
});
