import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adam,
  type BatchInput,
  conv2d,
  type Dataset,
  dense,
  flatten,
  type Layer,
  maxPooling2d,
  sequential,
  sgd,
  weightsSha256,
} from '../../src/index.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { planProgram } from '../../src/model/plan.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import {
  allWeights,
  CLASSES,
  IMAGE,
  runningSum,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
  treeSum,
} from '../helpers/conformance-data.ts';
import { PLAIN_INPUT } from '../helpers/conformance-model.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import {
  add,
  assertBounded,
  divide,
  exactly,
  multiply,
  root,
  rounded,
  subtract,
} from '../helpers/running-error.ts';

const engine = testEngine({ threads: 2 });
const f = Math.fround;

/** `count` samples of the small images, from `from` on. */
function batch(from: number, count: number): BatchInput {
  const { inputs, targets } = smallImages(from + count);
  const normalization = { kind: 'scale' } as const;
  return { inputs: inputs.slice(from * 192), targets: targets.slice(from), normalization };
}

/** Without dropout, whose masks depend on a sample's place in the batch. */
const steadyLayers = (): Layer[] => [
  conv2d({ filters: 3, kernelSize: 3, strides: 2, activation: 'relu' }),
  conv2d({ filters: 5, kernelSize: 2, activation: 'tanh' }),
  flatten(),
  dense({ units: CLASSES }),
];

test('25: gradients of single samples add up to those of four, bit for bit: shards in the tree, dense layers in order', async () => {
  await using model = sequential({ inputShape: IMAGE, seed: 4 }, steadyLayers());
  const whole = await model.gradientsOnBatch(batch(0, 4), { engine });
  const parts: (typeof whole)[] = [];
  for (let i = 0; i < 4; i++) parts.push(await model.gradientsOnBatch(batch(i, 1), { engine }));
  for (const [name, { data }] of Object.entries(whole.gradients)) {
    // The mean's factor is a power of two, so it commutes with every rounding.
    const quarters = parts.map(({ gradients }) => gradients[name]!.data.map((value) => value / 4));
    const sum = name.startsWith('dense') ? runningSum(quarters) : treeSum(quarters);
    assertSameBits(sum, data, name);
    assert.ok(data.some((value) => value !== 0));
  }
  assert.equal(whole.loss, parts.reduce((sum, { loss }) => sum + loss, 0) / 4);
  assert.equal(whole.accuracy, parts.reduce((sum, { accuracy }) => sum + accuracy, 0) / 4);
});

test('25: micro-batches of a shard each add up to a batch of eight shards, bit for bit', () => {
  const layers = [conv2d({ filters: CLASSES, kernelSize: 8 }), flatten()];
  const graph = sequentialGraph(IMAGE, layers);
  const [count, shardSize] = [32, 4];
  const gradientsOf = (batchSize: number, inputs: Float32Array, targets: Int32Array) => {
    const plan = planProgram(graph, {
      mode: 'train',
      batchSize,
      shardSize,
      input: PLAIN_INPUT,
      targets: { kind: 'index', length: 1 },
      loss: lossPlan('categoricalCrossentropy', 'index'),
      seed: 0,
    });
    const loaded = loadPlan(plan, 'simd');
    const weights = graphParameters(graph).map(({ name, elements }) => [name, randomNormals(3, elements)]);
    const sampleScale = new Float32Array(batchSize).fill(1 / count);
    loaded.run(
      { inputs, targets, sampleScale, parameters: Object.fromEntries(weights) },
      { count: batchSize },
    );
    return loaded.gradients();
  };
  const inputs = randomNormals(1, count * 192);
  const targets = Int32Array.from({ length: count }, (_, i) => i % CLASSES);
  const whole = gradientsOf(count, inputs, targets);
  const parts = Array.from({ length: 8 }, (_, i) =>
    gradientsOf(shardSize, inputs.slice(i * 768, (i + 1) * 768), targets.slice(4 * i, 4 * i + 4)),
  );
  for (const [name, gradient] of Object.entries(whole)) {
    assertSameBits(treeSum(parts.map((part) => part[name]!)), gradient, name);
  }
});

test('gradientsOnBatch changes nothing, and gives the same again and in the shapes of the weights', async () => {
  await using model = smallModel();
  const before = weightsSha256(model);
  const first = await model.gradientsOnBatch(batch(0, 9), { engine });
  const second = await model.gradientsOnBatch(batch(0, 9), { engine });
  assert.deepEqual(second, first);
  assert.equal(weightsSha256(model), before);
  const shapes = (tensors: Record<string, { shape: readonly number[] }>) =>
    Object.entries(tensors).map(([name, { shape }]) => [name, shape]);
  assert.deepEqual(shapes(first.gradients), shapes(model.getWeights()));
});

test('27: a step of SGD is w - lr*g, rounded twice, on the gradient of gradientsOnBatch', async () => {
  await using model = smallModel();
  const { gradients, ...metrics } = await model.gradientsOnBatch(batch(0, 9), { engine });
  const before = model.getWeights();
  const optimizer = sgd({ learningRate: 0.3 });
  assert.deepEqual(await model.trainOnBatch(batch(0, 9), { engine, optimizer }), metrics);
  for (const [name, { data }] of Object.entries(model.getWeights())) {
    const gradient = gradients[name]!.data;
    const expected = before[name]!.data.map((w, i) => f(w - f(f(0.3) * gradient[i]!)));
    assertSameBits(data, expected, name);
  }
});

test('27: the first step of Adam moves each weight by lr*g/(|g| + epsilon/sqrt(1 - b2)), within its running bound', async (t) => {
  let worst = 0;
  await using model = smallModel();
  const { gradients } = await model.gradientsOnBatch(batch(0, 9), { engine });
  const before = model.getWeights();
  await model.trainOnBatch(batch(0, 9), { engine, optimizer: adam({ learningRate: 0.01 }) });
  const alpha = rounded((0.01 * Math.sqrt(1 - 0.999)) / (1 - 0.9));
  for (const [name, { data }] of Object.entries(model.getWeights())) {
    data.forEach((value, i) => {
      const g = exactly(gradients[name]!.data[i]!);
      const first = multiply(g, rounded(1 - 0.9));
      const second = multiply(multiply(g, g), rounded(1 - 0.999));
      const step = divide(multiply(alpha, first), add(root(second), rounded(1e-7)));
      const closed = (0.01 * g.value) / (Math.abs(g.value) + 1e-7 / Math.sqrt(1 - 0.999));
      assert.ok(Math.abs(step.value - closed) <= 2 ** -40 * Math.abs(closed), `${step.value}, not ${closed}`);
      const expected = subtract(exactly(before[name]!.data[i]!), step);
      worst = Math.max(worst, assertBounded(value, expected, `${name}[${i}]`));
    });
  }
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('dense targets of zeros and ones teach what class indices do, bit for bit', async () => {
  await using model = smallModel();
  const indexed = batch(0, 9);
  const targets = new Float32Array(9 * CLASSES);
  (indexed.targets as Int32Array).forEach((target, i) => {
    targets[i * CLASSES + target] = 1;
  });
  const expected = await model.gradientsOnBatch(indexed, { engine });
  const actual = await model.gradientsOnBatch({ ...indexed, targets }, { engine });
  assert.equal(actual.accuracy, expected.accuracy);
  assert.ok(Math.abs(actual.loss - expected.loss) <= 1e-14 * expected.loss);
  for (const [name, { data }] of Object.entries(expected.gradients)) {
    assertSameBits(actual.gradients[name]!.data, data, name);
  }
});

test('both names of the loss are one loss: the data set says how its targets are stored', async () => {
  await using model = smallModel();
  const [one, other] = await (async () => {
    const losses = ['categoricalCrossentropy', 'sparseCategoricalCrossentropy'] as const;
    const results = [];
    for (const loss of losses) results.push(await model.gradientsOnBatch(batch(0, 5), { engine, loss }));
    return results;
  })();
  assert.deepEqual(other, one);
});

test('batches that do not fit the model are refused', async () => {
  await using model = smallModel();
  const good = batch(0, 4);
  const refused = (input: object, name: string, options: object = {}) =>
    assert.rejects(
      model.trainOnBatch({ ...good, ...input }, { engine, ...options }),
      { name },
      JSON.stringify(input),
    );
  await refused({ inputs: new Uint8Array(100) }, 'ShapeError');
  await refused({ targets: Int32Array.of(0, 1) }, 'ShapeError');
  await refused({ targets: Int32Array.of(0, 1, 2, CLASSES) }, 'DataError');
  await refused({ targets: new Float32Array(4 * 3) }, 'ShapeError');
  await refused({ inputs: new Uint8Array(0), targets: new Int32Array(0) }, 'ConfigError');
  await refused({ normalization: { kind: 'standardize', mean: [0], std: [1] } }, 'ShapeError');
  await refused({}, 'ConfigError', { sampleWeight: [1, 1] });
});

test('a class a sample does not fit an image of outputs: that is refused', async () => {
  const dataset: Dataset = { ...smallDataset(4), targets: { kind: 'index', classes: 32 } };
  await using model = sequential({ inputShape: IMAGE }, [
    maxPooling2d({}),
    conv2d({ filters: 2, kernelSize: 1 }),
  ]);
  const refusal = {
    name: 'ShapeError',
    message:
      /dataset.targets: expected class indices, \[4, 4\], for the output \[4, 4, 2\], got one a sample \(end the model with flatten/,
  };
  await assert.rejects(model.fit(dataset, { engine }), refusal);
  await assert.rejects(model.evaluate(dataset, { engine }), refusal);
  const { shape } = await model.predict(dataset, { engine });
  assert.deepEqual(shape, [4, 4, 4, 2], 'prediction is possible all the same');
  assert.ok(allWeights(model).length > 0);
});
