import assert from 'node:assert/strict';
import test from 'node:test';
import { averagePooling2d, lpPooling2d, maxPooling2d, weightedPooling2d } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { randomIntegers } from '../helpers/arbitraries.ts';
import { inferencePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';

const SHAPE = [4, 6, 5];

/** What the layer makes of images, with parameters of zeros. */
function outputOf(layer: Layer, inputs: Float32Array): Float32Array {
  const plan = inferencePlan(layer, SHAPE, { batchSize: 1, shardSize: 1 });
  const loaded = loadPlan(plan, 'simd');
  loaded.run({ inputs }, { count: 1 });
  return loaded.read(plan.output.origin.buffer, 2 * 3 * 5);
}

test('equal weights, learned or given, make an average pooling', () => {
  const inputs = randomIntegers(4, 120, 50);
  const expected = outputOf(averagePooling2d(), inputs);
  assertSameBits(outputOf(weightedPooling2d(), inputs), expected);
  const equal = [
    [3, 3],
    [3, 3],
  ];
  assertSameBits(outputOf(weightedPooling2d({ weights: equal }), inputs), expected);
});

test('given weights are shares of their sum, the same for each channel', () => {
  const inputs = randomIntegers(5, 120, 50).map((value) => 4 * value);
  const weights = [
    [0, 2],
    [1, 1],
  ];
  const output = outputOf(weightedPooling2d({ weights }), inputs);
  const at = (y: number, x: number, c: number) => inputs[(y * 6 + x) * 5 + c]!;
  output.forEach((value, i) => {
    const [y, x, c] = [2 * Math.floor(i / 15), 2 * (Math.floor(i / 5) % 3), i % 5];
    assert.equal(value, (2 * at(y, x + 1, c) + at(y + 1, x, c) + at(y + 1, x + 1, c)) / 4);
  });
});

test('learned weights are one a tap and channel, given ones no parameters', () => {
  const parametersOf = (layer: Layer) =>
    graphParameters(sequentialGraph(SHAPE, [layer])).map(({ spec }) => spec.shape);
  assert.deepEqual(parametersOf(weightedPooling2d({ poolSize: [2, 3] })), [[2, 3, 5]]);
  assert.deepEqual(parametersOf(weightedPooling2d({ weights: [[1, 2]] })), []);
  assert.deepEqual(
    sequentialGraph(SHAPE, [weightedPooling2d({ weights: [[1, 2, 1]] })]).tensors[1],
    [4, 2, 5],
  );
});

test('a norm of 1 sums magnitudes, a large one comes near the maximum, whatever the range', () => {
  const inputs = randomIntegers(6, 120, 50);
  const sums = outputOf(averagePooling2d(), inputs.map(Math.abs)).map((mean) => 4 * mean);
  assertSameBits(outputOf(lpPooling2d({ p: 1 }), inputs), sums);
  for (const scale of [1e-38, 1, 1e36]) {
    const scaled = inputs.map((value) => scale * value);
    const largest = outputOf(maxPooling2d(), scaled.map(Math.abs));
    outputOf(lpPooling2d({ p: 400 }), scaled).forEach((value, i) => {
      assert.ok(value >= largest[i]! && value <= 1.004 * largest[i]!, `${value}, maximum ${largest[i]}`);
    });
  }
});

test('senseless options are refused when the layer is made, windows that do not fit by the model', () => {
  for (const p of [0.5, 0, -1, Number.NaN, Infinity, '2', null])
    assertRefusedOptions(lpPooling2d, { p }, 'p');
  for (const weights of [[], [[]], [[1, 2], [3]], [[1, -1]], [[Number.NaN]], [1, 2], 'fixed', null]) {
    assertRefusedOptions(weightedPooling2d, { weights }, 'weights');
  }
  assertRefusedOptions(weightedPooling2d, { weights: [[1, 2]], poolSize: 2 }, 'poolSize');
  assertRefusedOptions(weightedPooling2d, { weightInitializer: 'equal' }, 'weightInitializer');
  for (const make of [lpPooling2d, weightedPooling2d]) {
    assertRefusedOptions(make, { poolSize: 0 }, 'poolSize');
    assertRefusedOptions(make, { strides: 0.5 }, 'strides');
    assertRefusedOptions(make, { padding: 'reflect' }, 'padding');
    assertRefusedShape(make({ poolSize: 5 }), [4, 9, 1]);
    assertRefusedShape(make(), [4, 9]);
  }
  assert.throws(() => lpPooling2d({ p: 0.5, name: 'norm' }), {
    message: 'lpPooling2d "norm": p: expected a number from 1 on, got 0.5',
  });
});
