import assert from 'node:assert/strict';
import test from 'node:test';
import {
  activation,
  conv2d,
  groupNormalization,
  type Layer,
  layerNormalization,
  localResponseNormalization,
  sequential,
} from '../../src/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { probePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';

test('options that make no sense are refused by name', () => {
  for (const make of [groupNormalization, layerNormalization]) {
    for (const epsilon of [-1, Infinity, '1']) assertRefusedOptions(make, { epsilon }, 'epsilon');
    assertRefusedOptions(make, { center: 1 }, 'center');
    assertRefusedOptions(make, { scale: 'yes' }, 'scale');
    assertRefusedOptions(make, { gammaInitializer: 'one' }, 'gammaInitializer');
    assertRefusedOptions(make, { betaInitializer: 'zero' }, 'betaInitializer');
  }
  for (const groups of [0, -2, 1.5]) assertRefusedOptions(groupNormalization, { groups }, 'groups');
  for (const axis of [1, 3, [1, 2], 'all']) assertRefusedOptions(layerNormalization, { axis }, 'axis');
  for (const [argument, value] of [
    ['depthRadius', -1],
    ['depthRadius', 1.5],
    ['bias', 0],
    ['alpha', -1],
    ['beta', Infinity],
  ] as const) {
    assertRefusedOptions(localResponseNormalization, { [argument]: value }, argument);
  }
  assert.throws(() => localResponseNormalization({ name: 'mine', bias: 0 }), {
    message: 'localResponseNormalization "mine": bias: expected a finite number above 0, got 0',
  });
});

test('groups that do not divide the channels are refused when the model is made', () => {
  assert.throws(() => sequentialGraph([4, 4, 6], [groupNormalization({ groups: 4, name: 'mine' })]), {
    name: 'ConfigError',
    message: 'groupNormalization "mine": groups: expected a divisor of 6, the channels of the input, got 4',
  });
  assertRefusedShape(localResponseNormalization({ name: 'mine' }), [6]);
});

test('defaults are those of Keras, and of TensorFlow for local response', () => {
  const { groups, epsilon, center, scale } = groupNormalization().config as Record<string, unknown>;
  assert.deepEqual([groups, epsilon, center, scale], [32, 1e-3, true, true]);
  const { axis, epsilon: small } = layerNormalization().config as Record<string, unknown>;
  assert.deepEqual([axis, small], [-1, 1e-3]);
  assert.deepEqual(localResponseNormalization().config, { depthRadius: 5, bias: 1, alpha: 1, beta: 0.5 });
});

test('gamma and beta are one a channel, or one an element where a whole image is normalised', () => {
  const shapesOf = (layer: Layer, shape: readonly number[]) =>
    sequentialGraph(shape, [layer]).nodes[0]!.parameters.map(({ name, shape: own }) => [name, own]);
  const channels = [
    ['gamma', [6]],
    ['beta', [6]],
  ];
  assert.deepEqual(shapesOf(groupNormalization({ groups: 2 }), [3, 4, 6]), channels);
  assert.deepEqual(shapesOf(layerNormalization(), [3, 4, 6]), channels);
  assert.deepEqual(shapesOf(layerNormalization({ axis: [1, 2, 3], center: false }), [3, 4, 6]), [
    ['gamma', [3, 4, 6]],
  ]);
});

/** A layer's training outputs on normal deviates. */
function outputs(layer: Layer, shape: readonly number[], inputs: Float32Array, count: number) {
  const probed = probePlan(layer, shape, { batchSize: count, shardSize: 1 });
  const loaded = loadPlan(probed.plan, 'simd');
  loaded.run({ inputs }, { count });
  return loaded.read(probed.outputs, inputs.length);
}

test('over all channels and pixels, group and layer normalisation are the same up to roundings', () => {
  const shape = [4, 5, 12];
  const plain = { scale: false, center: false };
  const inputs = randomNormals(3, 3 * 240);
  const group = outputs(groupNormalization({ groups: 1, ...plain }), shape, inputs, 3);
  const layer = outputs(layerNormalization({ axis: [1, 2, 3], ...plain }), shape, inputs, 3);
  group.forEach((y, i) => {
    // Each has three roundings of numbers of its size.
    assert.ok(Math.abs(y - layer[i]!) <= 2 ** -21 * Math.max(1, Math.abs(y)), `${y} and ${layer[i]}`);
  });
});

test('a set that is scaled by a power of two is a set with another epsilon, bit for bit', () => {
  const shape = [3, 4, 8];
  const inputs = randomNormals(5, 2 * 96);
  const plain = { scale: false, center: false };
  for (const make of [
    (epsilon: number) => groupNormalization({ groups: 2, epsilon, ...plain }),
    (epsilon: number) => layerNormalization({ epsilon, ...plain }),
    (epsilon: number) => layerNormalization({ axis: [1, 2, 3], epsilon, ...plain }),
  ]) {
    const scaled = outputs(
      make(1),
      shape,
      inputs.map((x) => 4 * x),
      2,
    );
    assertSameBits(scaled, outputs(make(1 / 16), shape, inputs, 2));
  }
});

const engines = [testEngine({ threads: 1, engine: 'scalar' }), testEngine({ threads: 3 })];

test('one large image, on all workers, gives what it gives in a batch', async () => {
  const shape = [48, 48, 3];
  await using model = sequential({ inputShape: shape, seed: 4 }, [
    conv2d({ filters: 32, kernelSize: 3, padding: 'same' }),
    groupNormalization({ groups: 4 }),
    conv2d({ filters: 32, kernelSize: 3, padding: 'same' }),
    layerNormalization(),
    activation({ function: 'silu' }),
    localResponseNormalization({ depthRadius: 2, beta: 0.75 }),
    layerNormalization({ axis: [1, 2, 3] }),
  ]);
  const inputs = randomNormals(6, 6 * 48 * 48 * 3);
  const length = 48 * 48 * 32;
  const batch = await model.predict(inputs, { engine: engines[0]!, batchSize: 6 });
  for (const engine of engines) {
    const alone = await model.predict(inputs.slice(0, 48 * 48 * 3), { engine, batchSize: 1 });
    assertSameBits(alone.data, batch.data.slice(0, length));
  }
});
