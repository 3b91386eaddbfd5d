/** What holds for whole networks, run through plans as training runs them: Euler's identity, sums of micro-batches. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { conv2d, conv2dTranspose, dense, flatten, maxPooling2d } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomIntegers, randomNormals } from '../helpers/arbitraries.ts';
import { exactValues } from '../helpers/conformance-bounds.ts';
import { probedParameters, probePlan } from '../helpers/conformance-model.ts';
import { oracles } from '../helpers/conformance-oracles.ts';
import { dot } from '../helpers/oracle.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import { addBounds, assertWithin } from '../helpers/tolerance.ts';

test('12: <W, dW> is the same for every layer of a network of ReLU and max pooling, whatever runs it', () => {
  const inputShape = [6, 5, 2] as const;
  const layers = [
    conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'relu', useBias: false }),
    maxPooling2d({ poolSize: 2, strides: 1 }),
    conv2d({ filters: 5, kernelSize: 2, strides: 2, activation: 'relu', useBias: false, flip: true }),
    conv2dTranspose({ filters: 2, kernelSize: 3, activation: 'relu', useBias: false }),
    flatten(),
    dense({ units: 4, useBias: false }),
  ];
  for (const engine of ['scalar', 'simd'] as const) {
    for (const seed of [1, 2, 3]) {
      const { graph, plan, outputs } = probePlan(layers, inputShape, { batchSize: 5, shardSize: 2 });
      const own = probedParameters(graph);
      assert.equal(own.length, 4);
      const weights = own.map(
        ({ name, elements }, i) => [name, randomIntegers(seed + i, elements, 2)] as const,
      );
      const loaded = loadPlan(plan, engine);
      const targets = randomIntegers(seed + 10, 5 * 4, 2);
      const inputs = randomIntegers(seed + 11, 5 * elementCount(inputShape), 2);
      loaded.run({ inputs, targets, parameters: Object.fromEntries(weights) }, { count: 5 });
      // Integers of a few hundred, so every sum is exact.
      const form = dot(loaded.read(outputs, targets.length), targets);
      const gradients = loaded.gradients();
      assert.notEqual(form, 0);
      for (const [name, weight] of weights) assert.equal(dot(gradients[name]!, weight), form, name);
    }
  }
});

/** Gradients of a batch's parameters, and their bounds of f64. */
function gradientsOf(
  layer: Layer,
  shape: Shape,
  samples: { from: number; count: number },
  shardSize: number,
) {
  const { from, count } = samples;
  const { graph, plan } = probePlan(layer, shape, { batchSize: count, shardSize });
  const outputShape = graph.tensors[graph.output]!;
  const drawn = (seed: number, length: number) =>
    randomNormals(seed, (from + count) * length).slice(from * length);
  const parameters = Object.fromEntries(
    probedParameters(graph).map(({ name, elements }, i) => [name, randomNormals(40 + i, elements)]),
  );
  const inputs = drawn(50, elementCount(shape));
  const targets = drawn(60, elementCount(outputShape));
  const loaded = loadPlan(plan, 'simd');
  loaded.run({ inputs, targets, parameters }, { count });
  const ownName = (name: string) => name.split('/')[1]!;
  const { parameters: expected } = oracles[layer.type]!.backward(
    {
      config: layer.config,
      inputShape: shape,
      inputShapes: [shape],
      outputShape,
      count,
      input: inputs,
      parameters: Object.fromEntries(Object.entries(parameters).map(([name, p]) => [ownName(name), p])),
      name: layer.type,
      seed: 0,
      step: 0,
    },
    exactValues(targets),
  );
  return Object.entries(loaded.gradients()).map(([name, values]) => {
    return { name, values, bounds: expected[ownName(name)]!.bounds };
  });
}

test('25: gradients of micro-batches of any size add up to those of the batch, within both bounds', (t) => {
  let worst = 0;
  const cases: readonly [Layer, Shape][] = [
    [conv2d({ filters: 4, kernelSize: 3, padding: 'same', strides: 2 }), [5, 6, 3]],
    [conv2d({ filters: 3, kernelSize: [1, 2], dilationRate: [1, 2], groups: 3 }), [3, 5, 6]],
    [conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2 }), [3, 2, 4]],
    [dense({ units: 7 }), [11]],
  ];
  for (const [layer, shape] of cases) {
    const whole = gradientsOf(layer, shape, { from: 0, count: 12 }, 5);
    const parts = [
      [0, 5],
      [5, 3],
      [8, 4],
    ].map(([from, count]) => gradientsOf(layer, shape, { from: from!, count: count! }, 2));
    whole.forEach(({ name, values, bounds }, i) => {
      const sum = new Float32Array(values.length);
      for (const part of parts) sum.set(sum.map((value, k) => value + part[i]!.values[k]!));
      // As many products in any order: the batch's bound is that of the sum, too.
      worst = Math.max(worst, assertWithin(sum, values, addBounds(bounds, bounds), `${layer.type} ${name}`));
    });
  }
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});
