import assert from 'node:assert/strict';
import test from 'node:test';
import { conv2d, locallyConnected1d, locallyConnected2d } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { inferencePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';

const parametersOf = (layer: Layer, shape: readonly number[]) =>
  graphParameters(sequentialGraph(shape, [layer])).map(({ name, spec }) => [
    name,
    spec.shape,
    spec.fanIn,
    spec.fanOut,
  ]);

test('every output pixel has a matrix of its own; fans are those of one', () => {
  assert.deepEqual(parametersOf(locallyConnected2d({ filters: 5, kernelSize: [3, 2] }), [6, 7, 4]), [
    ['locallyConnected2d/weight', [4 * 6, 3 * 2 * 4, 5], 24, 30],
    ['locallyConnected2d/bias', [4, 6, 5], undefined, undefined],
  ]);
  assert.deepEqual(parametersOf(locallyConnected1d({ filters: 5, kernelSize: 3, strides: 2 }), [9, 4]), [
    ['locallyConnected1d/weight', [4, 12, 5], 12, 15],
    ['locallyConnected1d/bias', [4, 5], undefined, undefined],
  ]);
  assert.equal(
    parametersOf(locallyConnected2d({ filters: 1, kernelSize: 1, useBias: false }), [2, 2, 1]).length,
    1,
  );
});

test('with the same weights everywhere it is a convolution, bit for bit', () => {
  const shape = [6, 5, 3];
  const window = { filters: 4, kernelSize: [2, 3], strides: [2, 1], activation: 'relu' } as const;
  const inputs = randomNormals(1, 2 * 90);
  const [weight, bias] = [randomNormals(2, 2 * 3 * 3 * 4), randomNormals(3, 4)];
  const pixels = 3 * 3;
  const repeated = (values: Float32Array) =>
    Float32Array.from({ length: pixels * values.length }, (_, i) => values[i % values.length]!);
  const outputs = (layer: Layer, w: Float32Array, b: Float32Array) => {
    const loaded = loadPlan(inferencePlan(layer, shape, { batchSize: 2, shardSize: 1 }), 'simd');
    const parameters = { [`${layer.type}/weight`]: w, [`${layer.type}/bias`]: b };
    loaded.run({ inputs, parameters }, { count: 2 });
    return loaded.read(loaded.plan.output.origin.buffer, 2 * pixels * 4);
  };
  const local = outputs(locallyConnected2d(window), repeated(weight), repeated(bias));
  assertSameBits(local, outputs(conv2d(window), weight, bias));
});

test('senseless options are refused when the layer is made, patches that do not fit by the model', () => {
  for (const make of [locallyConnected1d, locallyConnected2d]) {
    const options = { filters: 2, kernelSize: 3 };
    assertRefusedOptions(make, { ...options, filters: 0 }, 'filters');
    assertRefusedOptions(make, { ...options, kernelSize: 0 }, 'kernelSize');
    assertRefusedOptions(make, { ...options, strides: -1 }, 'strides');
    assertRefusedOptions(make, { ...options, activation: 'swoosh' }, 'activation');
  }
  assertRefusedShape(locallyConnected2d({ filters: 1, kernelSize: 4 }), [3, 5, 1]);
  assertRefusedShape(locallyConnected1d({ filters: 1, kernelSize: 4 }), [3, 1]);
  assertRefusedShape(locallyConnected1d({ filters: 1, kernelSize: 1 }), [3, 1, 1]);
});
