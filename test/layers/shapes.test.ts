import assert from 'node:assert/strict';
import test from 'node:test';
import { permute, reshape, sliceChannels } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { inferencePlan, probePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';

const shapeOf = (layer: Layer, shape: Shape) => sequentialGraph(shape, [layer]).tensors[1];

test('-1 stands for what is left of the elements', () => {
  assert.deepEqual(shapeOf(reshape({ targetShape: [-1] }), [3, 4, 2]), [24]);
  assert.deepEqual(shapeOf(reshape({ targetShape: [6, -1] }), [3, 4, 2]), [6, 4]);
  assert.deepEqual(shapeOf(reshape({ targetShape: [2, -1, 3] }), [24]), [2, 4, 3]);
  assert.deepEqual(shapeOf(reshape({ targetShape: [4, 6] }), [24]), [4, 6]);
});

test('what is no shape is refused when the layer is made, another number of elements by the model', () => {
  for (const targetShape of [[], [0], [2, 2, 2, 2], [1.5], [-2], [-1, -1], 4, '4', undefined, [null]]) {
    assertRefusedOptions(reshape, { targetShape }, 'targetShape');
  }
  assert.throws(() => sequentialGraph([3, 4, 2], [reshape({ targetShape: [5, 5], name: 'fold' })]), {
    name: 'ShapeError',
    message: 'reshape "fold": input shape: expected 25 elements, for [5, 5], got [3, 4, 2], 24 elements',
  });
  assert.throws(() => sequentialGraph([3, 4, 2], [reshape({ targetShape: [5, -1], name: 'fold' })]), {
    name: 'ShapeError',
    message:
      'reshape "fold": input shape: expected a multiple of 5 elements, for [5, -1], got [3, 4, 2], 24 elements',
  });
});

test('an order of axes is a permutation from 1 on, of as many as the input has', () => {
  assert.deepEqual(shapeOf(permute({ dims: [3, 1, 2] }), [5, 6, 7]), [7, 5, 6]);
  assert.deepEqual(shapeOf(permute({ dims: [2, 1] }), [5, 6]), [6, 5]);
  for (const dims of [[], [0, 1], [1, 1], [1, 3], [1, 2, 3, 4], 'HW', undefined, [2]]) {
    assertRefusedOptions(permute, { dims }, 'dims');
  }
  assert.throws(() => sequentialGraph([5, 6, 7], [permute({ dims: [2, 1], name: 'turn' })]), {
    name: 'ShapeError',
    message: 'permute "turn": input shape: expected 2 axes, as many as dims, got [5, 6, 7]',
  });
});

test('reshaping alone copies nothing, channels that stay last are one copy, others one for each of the fewest', () => {
  const callsOf = (layer: Layer, shape: Shape) =>
    inferencePlan(layer, shape, { batchSize: 2, shardSize: 2 }).phases.flatMap(({ units }) =>
      units.flatMap(({ calls }) => calls.filter(({ layer: name }) => name !== undefined)),
    ).length;
  assert.equal(callsOf(reshape({ targetShape: [4, 6] }), [3, 4, 2]), 0);
  assert.equal(callsOf(permute({ dims: [2, 1, 3] }), [6, 7, 9]), 1);
  assert.equal(callsOf(permute({ dims: [3, 1, 2] }), [6, 4, 9]), 4);
  assert.equal(callsOf(permute({ dims: [2, 1] }), [6, 9]), 1);
  const { plan } = probePlan(permute({ dims: [1, 2, 3] }), [6, 4, 9], { batchSize: 2, shardSize: 2 });
  assert.equal(
    plan.phases
      .flatMap(({ units }) => units.flatMap(({ calls }) => calls))
      .filter(({ layer }) => layer === 'permute').length,
    2,
  );
});

test('a slice lies within the channels; without a size it takes the rest', () => {
  assert.deepEqual(shapeOf(sliceChannels(), [5, 6, 7]), [5, 6, 7]);
  assert.deepEqual(shapeOf(sliceChannels({ start: 3 }), [5, 6, 7]), [5, 6, 4]);
  assert.deepEqual(shapeOf(sliceChannels({ start: 3, size: 2 }), [7]), [2]);
  for (const start of [-1, 0.5, '1', null]) assertRefusedOptions(sliceChannels, { start }, 'start');
  for (const size of [0, 1.5, null]) assertRefusedOptions(sliceChannels, { size }, 'size');
  const refused = (options: object, message: string) =>
    assert.throws(() => sequentialGraph([5, 6, 7], [sliceChannels({ ...options, name: 'part' })]), {
      name: 'ShapeError',
      message: `sliceChannels "part": input shape: ${message}`,
    });
  refused({ start: 5, size: 3 }, 'expected at least 8 channels, got [5, 6, 7]');
  refused({ start: 7 }, 'expected at least 8 channels, got [5, 6, 7]');
});
