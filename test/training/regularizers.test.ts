import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import {
  ConfigError,
  conv2d,
  dense,
  flatten,
  l1,
  l1l2,
  l2,
  load,
  type Model,
  type RegularizerOptions,
  sequential,
  sgd,
} from '../../src/index.ts';
import {
  allWeights,
  CLASSES,
  IMAGE,
  smallDataset,
  smallImages,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engines = [
  testEngine({ threads: 1 }),
  testEngine({ threads: 3 }),
  testEngine({ threads: 2, engine: 'scalar' }),
];
const engine = engines[0]!;
const batch = smallImages(10, 3);
const data = smallDataset(20);
const f = Math.fround;

/** The dense weight has more than two ranges of 4,096 elements; biases begin with ones, so that they count. */
function makeModel(conv: RegularizerOptions = {}, head: RegularizerOptions = {}): Model {
  return sequential({ inputShape: IMAGE, seed: 5 }, [
    conv2d({ filters: 5, kernelSize: 3, activation: 'relu', biasInitializer: 'ones', ...conv }),
    flatten(),
    dense({ units: 70, activation: 'relu', name: 'body', ...head }),
    dense({ units: CLASSES, activation: 'softmax', biasInitializer: 'ones' }),
  ]);
}

const PENALIZED = () =>
  makeModel(
    { kernelRegularizer: l2(0.03), biasRegularizer: l1(0.5) },
    { kernelRegularizer: l1l2({ l1: 0.01, l2: 0.02 }) },
  );

/** By parameter: l1 and l2. */
const FACTORS: Record<string, readonly [number, number]> = {
  'conv2d/weight': [0, 0.03],
  'conv2d/bias': [0.5, 0],
  'body/weight': [0.01, 0.02],
};

function penaltyOf(model: Model): number {
  return Object.entries(model.getWeights()).reduce((sum, [name, { data: values }]) => {
    const [magnitude, square] = FACTORS[name] ?? [0, 0];
    return sum + values.reduce((part, w) => part + magnitude * Math.abs(w) + square * w * w, 0);
  }, 0);
}

/** Sums of up to 15,000 terms in f64. */
const close = (received: number, expected: number) =>
  assert.ok(
    Math.abs(received - expected) <= 15_000 * 2 ** -53 * Math.abs(expected),
    `${received}, ${expected}`,
  );

test('gradients are those of the data’s loss and of the penalties, the loss is their sum', async () => {
  await using plain = makeModel();
  await using model = PENALIZED();
  assertSameBits(allWeights(model), allWeights(plain));
  const without = await plain.gradientsOnBatch(batch, { engine });
  const received = await model.gradientsOnBatch(batch, { engine });
  close(received.loss, without.loss + penaltyOf(model));
  for (const [name, { data: values }] of Object.entries(model.getWeights())) {
    const [magnitude, square] = FACTORS[name] ?? [0, 0];
    const expected = without.gradients[name]!.data.map((g, i) => {
      const w = values[i]!;
      const smooth = square === 0 ? g : f(g + f(f(2 * square) * w));
      return magnitude === 0 ? smooth : f(smooth + f(magnitude) * Math.sign(w));
    });
    assertSameBits(received.gradients[name]!.data, expected, name);
  }
});

test('fit, evaluate and the validation report the loss with the penalties of the weights in question', async () => {
  await using plain = makeModel();
  await using model = PENALIZED();
  const evaluated = async () => {
    plain.setWeights(model.getWeights());
    return (await plain.evaluate(data, { engine })).loss + penaltyOf(model);
  };
  close((await model.evaluate(data, { engine })).loss, await evaluated());
  const before = penaltyOf(model);
  const first = (await plain.fit(data, { optimizer: sgd(), engine, shuffle: false })).epochs[0]!;
  const history = await model.fit(data, { optimizer: sgd(), engine, shuffle: false, validation: data });
  close(history.epochs[0]!.loss, first.loss + before);
  close(history.epochs[0]!.valLoss!, await evaluated());
});

test('a layer that is frozen is not penalised', async () => {
  await using plain = makeModel();
  await using model = PENALIZED();
  model.freeze('conv2d', 'body');
  assert.equal((await model.evaluate(data, { engine })).loss, (await plain.evaluate(data, { engine })).loss);
  const history = await model.fit(data, { optimizer: sgd(), engine });
  plain.freeze('conv2d', 'body');
  assert.equal(
    history.epochs[0]!.loss,
    (await plain.fit(data, { optimizer: sgd(), engine })).epochs[0]!.loss,
  );
});

test('workers and engines change no bit of weights and losses', async () => {
  const all = [];
  for (const each of engines) {
    await using model = PENALIZED();
    const { epochs } = await model.fit(data, { epochs: 2, batchSize: 8, engine: each });
    all.push({ losses: epochs.map(({ loss }) => loss), weights: allWeights(model) });
  }
  for (const { losses, weights } of all.slice(1)) {
    assert.deepEqual(losses, all[0]!.losses);
    assertSameBits(weights, all[0]!.weights);
  }
});

test('a strong penalty alone brings weights towards 0', async () => {
  await using model = makeModel({}, { kernelRegularizer: l2(2) });
  const size = () => Math.hypot(...model.getWeights()['body/weight']!.data);
  const before = size();
  await model.fit(data, { optimizer: sgd({ learningRate: 0.1 }), epochs: 3, batchSize: 5, engine });
  assert.ok(size() < 0.1 * before);
});

test('penalties are saved with the model', async () => {
  const file = path.join(temporaryFolder(), 'model.safetensors');
  await using model = PENALIZED();
  await model.save(file);
  await using again = await load(file);
  const options = { batchSize: 8, engine };
  await model.fit(data, options);
  await again.fit(data, options);
  assertSameBits(allWeights(again), allWeights(model));
});

test('factors without sense are refused with the layer and the option', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => error instanceof ConfigError && message.test(error.message));
  refused(() => l2(-1), /^l2: factor: expected finite factors l1 and l2 from 0 on, got \{"l1":0,"l2":-1\}/);
  refused(() => l1(Number.NaN), /^l1: factor: expected finite factors/);
  refused(() => l1l2({ l1: Infinity }), /^l1l2: factors: expected finite factors/);
  refused(
    () => dense({ units: 3, kernelRegularizer: 0.01 as never, name: 'head' }),
    /dense "head": kernelRegularizer: expected finite factors l1 and l2 from 0 on, got 0.01 \(such as l2\(1e-4\)\)/,
  );
  refused(
    () => conv2d({ filters: 3, kernelSize: 3, biasRegularizer: { l1: 1 } as never }),
    /biasRegularizer: expected finite factors/,
  );
  assert.deepEqual(
    [l1(), l2(), l1l2()],
    [
      { l1: 0.01, l2: 0 },
      { l1: 0, l2: 0.01 },
      { l1: 0, l2: 0 },
    ],
  );
});
