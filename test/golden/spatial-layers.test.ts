/**
 * Layers against PyTorch's f64: the layer in a plan of its own, as a user's model would run it, with SIMD kernels and
 * a shard a sample. Each output and gradient is within gamma(n) times the sum of its products' magnitudes, or equal
 * where the fixture's numbers are integers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layers } from '../../src/layers/index.ts';
import { probedParameters, probePlan } from '../helpers/conformance-model.ts';
import type { LayerFunction } from '../helpers/conformance-registry.ts';
import { assertSameValues } from '../helpers/exact.ts';
import { loadFixture } from '../helpers/fixture.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';

const { json, tensor } = loadFixture('spatial');

for (const { name, layer: type, options, terms } of json.cases) {
  test(`${type} agrees with PyTorch: ${name}`, () => {
    const make: LayerFunction = layers[type as keyof typeof layers];
    const input = tensor(`${name}/input`);
    const [count, ...inputShape] = input.shape as [number, ...number[]];
    const probed = probePlan(make(options), inputShape, { batchSize: count, shardSize: 1 });
    const loaded = loadPlan(probed.plan, 'simd');
    const parameters = Object.fromEntries(
      probedParameters(probed.graph).map(({ name: full, elements }) => {
        const { data } = tensor(`${name}/${full.split('/')[1]}`);
        assert.equal(data.length, elements, full);
        return [full, data];
      }),
    );
    const targets = tensor(`${name}/gradOutput`).data;
    loaded.run({ inputs: input.data, targets, parameters }, { count });
    const results = {
      output: loaded.read(probed.outputs, targets.length),
      'grad/input': loaded.read(probed.gradInputs, input.data.length),
      ...Object.fromEntries(
        Object.entries(loaded.gradients()).map(([full, values]) => [`grad/${full.split('/')[1]}`, values]),
      ),
    };
    for (const [key, values] of Object.entries<Float32Array>(results)) {
      const truth = tensor(`${name}/${key}`).data;
      if (terms === undefined) {
        assertSameValues(values, truth, key);
        continue;
      }
      const n = terms[key.replace('grad/', '')];
      assert.ok(n !== undefined, `terms of ${key}`);
      assertWithin(values, truth, roundoffBounds(n, tensor(`${name}/magnitude/${key}`).data), key);
    }
  });
}

test('every layer has cases in a fixture, but those of random numbers and of several inputs', () => {
  const tried = (['spatial', 'normalizations', 'layers'] as const).flatMap((name) =>
    (loadFixture(name).json.cases as readonly { layer: string }[]).map(({ layer }) => layer),
  );
  const merging = ['add', 'average', 'concatenate', 'maximum', 'multiply'];
  const random = ['dropout', 'gaussianNoise', 'spatialDropout2d', 'stochasticDepth'];
  const names: Record<string, string> = { averagePool: 'averagePooling2d', maxPool: 'maxPooling2d' };
  const known = new Set([...tried.map((name) => names[name] ?? name), 'activation']);
  assert.deepEqual(
    Object.keys(layers).filter((type) => !known.has(type)),
    [...merging, ...random].sort(),
  );
});

test('the fixture has its cases', () => {
  assert.deepEqual(
    [...new Set(json.cases.map(({ layer }) => layer))].filter((type) => !(type in layers)),
    [],
  );
  assert.ok(json.cases.length > 0);
});
