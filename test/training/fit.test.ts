import assert from 'node:assert/strict';
import test from 'node:test';
import { epochOrder } from '../../src/data/order.ts';
import {
  adam,
  ConfigError,
  type Dataset,
  type EpochRecord,
  type FitOptions,
  type Model,
  NonFiniteLossError,
  type Optimizer,
  ShapeError,
  type StepProgress,
  sgd,
} from '../../src/index.ts';
import {
  allWeights,
  CLASSES,
  IMAGE,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 2 });
const SEED = 21;
const data = smallDataset(37);
const pixels = smallImages(37);
const { normalization } = data;

/** The samples of one batch. */
function gather(indices: Uint32Array) {
  const length = IMAGE[0] * IMAGE[1] * IMAGE[2];
  const inputs = new Uint8Array(indices.length * length);
  indices.forEach((index, i) => {
    inputs.set(pixels.inputs.subarray(index * length, (index + 1) * length), i * length);
  });
  return {
    inputs,
    targets: Int32Array.from(indices, (index) => pixels.targets[index]!),
    normalization: normalization!,
  };
}

/** Trains on batches of `batchSize` by hand, in the order that `fit` takes. */
async function trainByHand(model: Model, optimizer: Optimizer, epochs: number, batchSize: number) {
  const metrics: { loss: number; accuracy: number }[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = epochOrder(SEED, epoch, data.size);
    const totals = { loss: 0, accuracy: 0 };
    for (let from = 0; from < data.size; from += batchSize) {
      const indices = order.subarray(from, from + batchSize);
      const { loss, accuracy } = await model.trainOnBatch(gather(indices), { optimizer, engine });
      totals.loss += (loss * indices.length) / data.size;
      totals.accuracy += (accuracy * indices.length) / data.size;
    }
    metrics.push(totals);
  }
  return metrics;
}

for (const [name, make] of Object.entries({
  adam: () => adam(),
  sgd: () => sgd({ learningRate: 0.05, momentum: 0.9 }),
})) {
  test(`fit with ${name} is trainOnBatch over the epochs’ orders, the smaller last batch included, bit for bit`, async () => {
    await using fitted = smallModel(SEED);
    const { epochs, end } = await fitted.fit(data, { optimizer: make(), epochs: 2, batchSize: 8, engine });
    await using looped = smallModel(SEED);
    const byHand = await trainByHand(looped, make(), 2, 8);
    assertSameBits(allWeights(fitted), allWeights(looped));
    assert.equal(end, 'finished');
    epochs.forEach((record, i) => {
      assert.equal(record.epoch, i + 1);
      for (const metric of ['loss', 'accuracy'] as const) {
        assert.ok(Math.abs(record[metric] - byHand[i]![metric]) < 1e-12, `${metric} of epoch ${i + 1}`);
      }
    });
  });
}

/** The data set, keeping the indices of every read. */
function watched(dataset: Dataset): { dataset: Dataset; batches: number[][] } {
  const batches: number[][] = [];
  const read: Dataset['read'] = (indices, into) => {
    batches.push([...indices]);
    return dataset.read(indices, into);
  };
  return { dataset: { ...dataset, read }, batches };
}

test('28: the order is that of (seed, epoch): a permutation an epoch, another for each, on any engine', async () => {
  const seen: number[][][] = [];
  for (const options of [{ engine }, { engine: testEngine({ threads: 1, engine: 'scalar' }) }] as const) {
    const { dataset, batches } = watched(data);
    await using model = smallModel(SEED);
    await model.fit(dataset, { epochs: 2, batchSize: 8, seed: 5, ...options });
    seen.push(batches);
  }
  assert.deepEqual(seen[1], seen[0]);
  const batches = seen[0]!;
  assert.deepEqual(
    batches.map(({ length }) => length),
    [8, 8, 8, 8, 5, 8, 8, 8, 8, 5],
  );
  assert.deepEqual(batches.slice(0, 5).flat(), [...epochOrder(5, 0, 37)]);
  assert.deepEqual(batches.slice(5).flat(), [...epochOrder(5, 1, 37)]);
});

test('without shuffling the order is that of the data set, and two fits continue as one would', async () => {
  const { dataset, batches } = watched(data);
  const options: FitOptions = { batchSize: 16, shuffle: false, optimizer: adam(), engine };
  await using split = smallModel(SEED);
  for (let i = 0; i < 2; i++) await split.fit(dataset, options);
  assert.deepEqual(batches.slice(0, 3).flat(), [...Array(37).keys()]);
  await using whole = smallModel(SEED);
  await whole.fit(data, { ...options, epochs: 2 });
  assertSameBits(allWeights(split), allWeights(whole));
});

test('each fit begins with the order of epoch 1', async () => {
  const { dataset, batches } = watched(data);
  await using model = smallModel(SEED);
  for (let i = 0; i < 2; i++) await model.fit(dataset, { batchSize: 37, engine });
  assert.deepEqual(batches[1], batches[0]);
});

test('another optimizer starts anew: no moments, no steps', async () => {
  await using used = smallModel(SEED);
  await used.fit(data, { optimizer: adam(), engine });
  await used.fit(data, { optimizer: sgd({ momentum: 0.5 }), engine });
  await using fresh = smallModel(SEED);
  fresh.setWeights(used.getWeights());
  for (const model of [used, fresh]) await model.fit(data, { optimizer: adam(), engine });
  assertSameBits(allWeights(used), allWeights(fresh));
});

test('the same optimizer with another learning rate goes on with its moments', async () => {
  await using used = smallModel(SEED);
  await used.fit(data, { optimizer: sgd({ momentum: 0.9 }), engine });
  await using fresh = smallModel(SEED);
  fresh.setWeights(used.getWeights());
  for (const model of [used, fresh]) {
    await model.fit(data, { optimizer: sgd({ momentum: 0.9, learningRate: 0.001 }), engine });
  }
  assert.notDeepEqual(allWeights(used), allWeights(fresh));
});

test('a learning rate of 0 changes nothing; loss and accuracy are then those of evaluate', async () => {
  await using model = smallModel(SEED);
  const before = allWeights(model);
  const watch: EpochRecord[] = [];
  const onEpoch = (record: EpochRecord) => void watch.push(record);
  const still = { optimizer: sgd({ learningRate: 0 }), batchSize: 8, validation: data, engine };
  const { epochs } = await model.fit(data, { ...still, onEpoch });
  assertSameBits(allWeights(model), before);
  const { loss, accuracy } = await model.evaluate(data, { engine });
  assert.deepEqual([epochs[0]!.valLoss, epochs[0]!.valAccuracy], [loss, accuracy]);
  assert.notEqual(epochs[0]!.loss, loss, 'training drops out');
  assert.deepEqual(watch, epochs);
});

test('progress counts steps and epochs from 1, and its last metrics are the epoch’s', async () => {
  const steps: StepProgress[] = [];
  await using model = smallModel(SEED);
  const options = { epochs: 2, batchSize: 8, engine, onStep: (step: StepProgress) => void steps.push(step) };
  const { epochs } = await model.fit(data, options);
  assert.deepEqual(
    steps.map(({ epoch, step }) => [epoch, step]),
    [1, 2].flatMap((epoch) => [1, 2, 3, 4, 5].map((step) => [epoch, step])),
  );
  assert.ok(steps.every((step) => step.steps === 5 && step.epochs === 2 && step.secondsLeft >= 0));
  const last = steps[4]!;
  assert.deepEqual([last.loss, last.accuracy], [epochs[0]!.loss, epochs[0]!.accuracy]);
});

test('a batch larger than the data set is the data set', async () => {
  await using large = smallModel(SEED);
  await large.fit(data, { batchSize: 1000, engine });
  await using exact = smallModel(SEED);
  await exact.fit(data, { batchSize: 37, engine });
  assertSameBits(allWeights(large), allWeights(exact));
});

test('a signal ends the run between two steps; what was trained until then stays', async () => {
  await using model = smallModel(SEED);
  const control = new AbortController();
  const onStep = ({ epoch, step }: StepProgress) => {
    if (epoch === 2 && step === 3) control.abort();
  };
  const options = { epochs: 5, batchSize: 8, optimizer: adam(), engine };
  const { epochs, end } = await model.fit(data, { ...options, signal: control.signal, onStep });
  assert.deepEqual([end, epochs.length], ['aborted', 1]);
  await using byHand = smallModel(SEED);
  const optimizer = adam();
  await trainByHand(byHand, optimizer, 1, 8);
  const second = epochOrder(SEED, 1, data.size);
  for (let step = 0; step < 3; step++) {
    await byHand.trainOnBatch(gather(second.subarray(8 * step, 8 * step + 8)), { optimizer, engine });
  }
  assertSameBits(allWeights(model), allWeights(byHand));
  const again = await model.fit(data, { ...options, signal: control.signal });
  assert.deepEqual(again, { epochs: [], end: 'aborted' });
});

test('NaN among the inputs ends the run with NonFiniteLossError, and says where', async () => {
  const inputs = new Float32Array(20 * 192).fill(0.5);
  inputs[13 * 192 + 7] = Number.NaN;
  const dataset: Dataset = {
    size: 20,
    inputShape: IMAGE,
    inputType: 'float32',
    targets: { kind: 'index', classes: CLASSES },
    read(indices, into) {
      indices.forEach((index, i) => {
        into.inputs.set(inputs.subarray(index * 192, (index + 1) * 192), i * 192);
      });
      into.targets.fill(1);
    },
  };
  await using model = smallModel(SEED);
  const before = model.getWeights();
  await assert.rejects(model.fit(dataset, { batchSize: 4, shuffle: false, engine }), (error) => {
    assert.ok(error instanceof NonFiniteLossError);
    assert.match(
      error.message,
      /^fit: epoch 1, step 4: expected finite losses and gradients, got NaN in sample 13 of the data set \(/,
    );
    return true;
  });
  model.setWeights(before);
  const { epochs } = await model.fit(data, { engine });
  assert.ok(Number.isFinite(epochs[0]!.loss), 'the model can be used again');
});

test('no epochs, no change', async () => {
  await using model = smallModel(SEED);
  const before = allWeights(model);
  assert.deepEqual(await model.fit(data, { epochs: 0, engine }), { epochs: [], end: 'finished' });
  assertSameBits(allWeights(model), before);
});

test('options and data that do not fit are refused before anything runs', async () => {
  await using model = smallModel(SEED);
  const refused = async (options: object, error: typeof ConfigError | typeof ShapeError, dataset = data) => {
    await assert.rejects(model.fit(dataset, { engine, ...options }), error, JSON.stringify(options));
  };
  for (const batchSize of [0, -1, 2.5, Number.NaN]) await refused({ batchSize }, ConfigError);
  for (const epochs of [-1, 1.5]) await refused({ epochs }, ConfigError);
  await refused({ optimizer: 'nadam' }, ConfigError);
  await refused({ loss: 'mse' }, ConfigError);
  await refused({ augmentation: { zoomRange: 1 } }, ConfigError);
  await refused({}, ConfigError, { ...data, size: 0 });
  await refused({}, ShapeError, { ...data, inputShape: [8, 8, 1], normalization: { kind: 'none' } });
  await refused({}, ShapeError, { ...data, targets: { kind: 'index', classes: 5 } });
  await refused({ validation: { ...data, targets: { kind: 'index', classes: 3 } } }, ShapeError);
  await refused({ threads: 0, engine: 'simd' }, ConfigError);
  await refused({ engine: 'gpu' }, ConfigError);
});
