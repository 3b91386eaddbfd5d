import assert from 'node:assert/strict';
import test from 'node:test';
import { type BatchInput, conv2d, dense, flatten, sequential, sgd } from '../../src/index.ts';
import {
  allWeights,
  CLASSES,
  IMAGE,
  runningSum,
  smallDataset,
  smallImages,
  testEngine,
  treeSum,
} from '../helpers/conformance-data.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { addBounds, assertWithin, roundoffBounds } from '../helpers/tolerance.ts';

const engine = testEngine({ threads: 2 });
const { inputs, targets } = smallImages(8);

/** Without dropout: the same sample gives the same gradient anywhere in a batch. */
const makeModel = () =>
  sequential({ inputShape: IMAGE, seed: 6 }, [
    conv2d({ filters: 3, kernelSize: 3, strides: 2, activation: 'relu' }),
    flatten(),
    dense({ units: CLASSES }),
  ]);

/** The chosen samples as a batch. */
function batch(...chosen: number[]): BatchInput {
  return {
    inputs: Uint8Array.from(chosen.flatMap((i) => [...inputs.subarray(192 * i, 192 * (i + 1))])),
    targets: Int32Array.from(chosen, (i) => targets[i]!),
    normalization: { kind: 'scale' },
  };
}

async function gradients(input: BatchInput, options: object = {}) {
  await using model = makeModel();
  const result = await model.gradientsOnBatch(input, { engine, ...options });
  return {
    ...result,
    all: Float32Array.from(Object.values(result.gradients).flatMap(({ data }) => [...data])),
  };
}

test('weights of 1 change nothing, powers of two scale the gradient exactly', async () => {
  const { all } = await gradients(batch(0, 1, 2, 3));
  assertSameBits((await gradients(batch(0, 1, 2, 3), { sampleWeight: [1, 1, 1, 1] })).all, all);
  const doubled = await gradients(batch(0, 1, 2, 3), { sampleWeight: [2, 2, 2, 2] });
  assertSameBits(
    doubled.all,
    all.map((value) => 2 * value),
  );
  const byClass = await gradients(batch(0, 1, 2, 3), { classWeight: [0.5, 0.5, 0.5, 0.5] });
  assertSameBits(
    byClass.all,
    all.map((value) => value / 2),
  );
});

/** The gradients of single samples. */
async function single(...chosen: number[]) {
  const parts = [];
  for (const i of chosen) parts.push((await gradients(batch(i))).gradients);
  return parts;
}

test('a sample’s gradient is multiplied by its weight over the batch, bit for bit', async () => {
  const sampleWeight = [2, 1, 0.5, 0];
  const weighted = await gradients(batch(0, 1, 2, 3), { sampleWeight });
  const parts = await single(0, 1, 2, 3);
  for (const [name, { data }] of Object.entries(weighted.gradients)) {
    const scaled = parts.map((part, i) => part[name]!.data.map((value) => (value * sampleWeight[i]!) / 4));
    const sum = name.startsWith('dense') ? runningSum(scaled) : treeSum(scaled);
    // Where a weight of 0 meets a sum of 0, only the sign of zero may differ.
    assertSameValues(data, sum, name);
  }
});

test('a sample of weight 2 beside one of weight 0 is a sample twice', async () => {
  const weighted = await gradients(batch(0, 1, 2, 3), { sampleWeight: [2, 1, 1, 0] });
  const written = await gradients(batch(0, 0, 1, 2));
  const parts = await single(0, 0, 1, 2);
  for (const [name, { data }] of Object.entries(weighted.gradients)) {
    const magnitudes = data.map((_, e) =>
      parts.reduce((sum, part) => sum + Math.abs(part[name]!.data[e]!) / 4, 0),
    );
    // Both are sums of the same four terms, in orders of their own.
    const bounds = addBounds(roundoffBounds(4, magnitudes), roundoffBounds(4, magnitudes));
    assertWithin(data, written.gradients[name]!.data, bounds, name);
  }
});

test('a batch whose samples all weigh 0 has no gradient at all', async () => {
  const { all } = await gradients(batch(0, 1, 2, 3), { sampleWeight: [0, 0, 0, 0] });
  assert.ok(all.every((value) => value === 0));
});

test('classWeight is the sampleWeight of each sample’s class, for indices and dense targets; both multiply', async () => {
  const chosen = [0, 1, 2, 3, 4, 5, 6, 7];
  const classWeight = [0.5, 2, 0, 1.5];
  const sampleWeight = chosen.map((i) => classWeight[targets[i]!]!);
  const expected = await gradients(batch(...chosen), { sampleWeight });
  assertSameBits((await gradients(batch(...chosen), { classWeight })).all, expected.all);
  const onehot = new Float32Array(8 * CLASSES);
  chosen.forEach((i) => {
    onehot[i * CLASSES + targets[i]!] = 1;
  });
  const dense = await gradients({ ...batch(...chosen), targets: onehot }, { classWeight });
  assertSameBits(dense.all, expected.all);
  const both = await gradients(batch(...chosen), { classWeight, sampleWeight: chosen.map(() => 4) });
  assertSameBits(
    both.all,
    expected.all.map((value) => 4 * value),
  );
});

test('weights change the gradient, not the metrics', async () => {
  const plain = await gradients(batch(0, 1, 2, 3));
  const weighted = await gradients(batch(0, 1, 2, 3), { sampleWeight: [3, 0, 1, 1] });
  assert.deepEqual([weighted.loss, weighted.accuracy], [plain.loss, plain.accuracy]);
});

test('in fit, sampleWeight goes by the data set’s index, whatever the order', async () => {
  const data = smallDataset(20);
  const weights = Array.from({ length: 20 }, (_, i) => (i < 10 ? 1 : 0));
  const train = async (sampleWeight: number[] | undefined, seed: number) => {
    await using model = makeModel();
    const options = { engine, batchSize: 20, seed, optimizer: sgd({ learningRate: 0.1 }) };
    await model.fit(data, sampleWeight === undefined ? options : { ...options, sampleWeight });
    return allWeights(model);
  };
  const [one, other] = [await train(weights, 1), await train(weights, 2)];
  const unweighted = await train(undefined, 1);
  const distance = (a: Float32Array, b: Float32Array) =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  assert.ok(distance(one, other) < 1e-6, 'the order of a full batch changes roundings only');
  assert.ok(distance(one, unweighted) > 1e-4, 'the weights matter');
});

test('weights that are negative, not finite, or not as many as samples and classes are refused', async () => {
  const refused = (options: object, message: RegExp) =>
    assert.rejects(gradients(batch(0, 1, 2), options), { name: 'ConfigError', message });
  await refused({ sampleWeight: [1, 1] }, /sampleWeight: expected 3 finite weights from 0 on, got 2 weights/);
  await refused({ sampleWeight: [1, -1, 1] }, /got -1 at 1/);
  await refused({ sampleWeight: [1, 1, Number.NaN] }, /got NaN at 2/);
  await refused({ classWeight: [1, 1, 1] }, /classWeight: expected 4 finite weights/);
  await refused({ classWeight: [1, 1, 1, Infinity] }, /got Infinity at 3/);
});
