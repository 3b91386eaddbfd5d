import assert from 'node:assert/strict';
import test from 'node:test';
import { conv2d, conv2dTranspose, dense, dropout, flatten, maxPooling2d } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { layoutTensors, type Mode } from '../../src/model/layout.ts';

const conv = (options: object = {}) => conv2d({ filters: 2, kernelSize: 5, padding: 'same', ...options });

function layout(layers: readonly Layer[], mode: Mode = 'train') {
  const graph = sequentialGraph([8, 8, 2], layers);
  const laid = layoutTensors(graph, mode);
  return {
    ...laid,
    halos: laid.activations.map(({ view }) => view.halo),
    gradientHalos: laid.gradients.map(({ view }) => view.halo),
    scopes: laid.activations.map(({ origin }) => origin.buffer.scope),
    aliases: graph.nodes.map((node) => laid.aliases.has(node)),
  };
}

test('a tensor has the halo of its reader, its gradient that of whoever reads the gradient', () => {
  const { halos, gradientHalos } = layout([conv(), maxPooling2d({}), conv({ kernelSize: 3 })]);
  assert.deepEqual(halos, [2, 0, 1, 0]);
  // The first convolution's input needs no gradient, so nobody reads a halo of its output's.
  assert.deepEqual(gradientHalos, [0, 0, 0, 1]);
});

test('from convolution to convolution both directions have their halo', () => {
  const { halos, gradientHalos } = layout([conv(), conv({ kernelSize: 3 }), conv({ kernelSize: 1 })]);
  assert.deepEqual(halos, [2, 1, 0, 0]);
  assert.deepEqual(gradientHalos, [0, 0, 1, 0]);
});

test('a transposed convolution reads the halo of its output’s gradient even where it comes first', () => {
  const up = conv2dTranspose({ filters: 2, kernelSize: 3, padding: 'same' });
  assert.deepEqual(layout([up]).gradientHalos, [0, 1]);
  assert.deepEqual(layout([up], 'infer').gradientHalos, [0, 0]);
});

test('flatten copies nothing where its input has no halo', () => {
  const laid = layout([conv(), maxPooling2d({}), flatten(), dense({ units: 3 })]);
  assert.deepEqual(laid.aliases, [false, false, true, false]);
  assert.equal(laid.activations[3]!.origin.buffer, laid.activations[2]!.origin.buffer);
  assert.equal(laid.gradients[3]!.origin.buffer, laid.gradients[2]!.origin.buffer);
  assert.equal(laid.activations[3]!.view.channels, 32);
});

test('flatten after a convolution whose gradient needs a halo copies, without one it does not', () => {
  assert.deepEqual(layout([conv(), conv(), flatten()]).aliases, [false, false, false]);
  assert.deepEqual(layout([conv(), conv(), flatten()], 'infer').aliases, [false, false, true]);
  assert.deepEqual(layout([conv(), flatten()]).aliases, [false, true]);
});

test('dropout works in training and is another name of its input outside of it', () => {
  const layers = [conv(), dropout({ rate: 0.5 }), conv()];
  assert.deepEqual(layout(layers).aliases, [false, false, false]);
  const inferred = layout(layers, 'infer');
  assert.deepEqual(inferred.aliases, [false, true, false]);
  assert.deepEqual(
    inferred.halos,
    [2, 2, 2, 0],
    'the halo that the second convolution reads lies in the shared memory',
  );
});

test('what a dense layer’s weight gradient reads outlives the shard, in training alone', () => {
  const layers = [conv(), flatten(), dense({ units: 3 }), dropout({ rate: 0.1 }), dense({ units: 2 })];
  const { scopes, gradients } = layout(layers);
  assert.deepEqual(scopes, ['unit', 'batch', 'batch', 'unit', 'batch', 'unit']);
  assert.deepEqual(
    gradients.map(({ origin }) => origin.buffer.scope),
    ['unit', 'unit', 'unit', 'batch', 'unit', 'batch'],
  );
  assert.deepEqual(layout(layers, 'infer').scopes, ['unit', 'unit', 'unit', 'unit', 'unit', 'batch']);
});

test('gradients are needed downstream of the first parameter, in training alone', () => {
  const layers = [maxPooling2d({}), dropout({ rate: 0.1 }), conv(), maxPooling2d({})];
  assert.deepEqual(layout(layers).needsGradient, [false, false, false, true, true]);
  assert.deepEqual(layout(layers, 'infer').needsGradient, [false, false, false, false, false]);
});
