import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adam,
  type Engine,
  notebookAugmentation,
  type Optimizer,
  sgd,
  weightsSha256,
} from '../../src/index.ts';
import { smallDataset, smallModel, testEngine } from '../helpers/conformance-data.ts';

const one = testEngine({ threads: 1 });
const two = testEngine({ threads: 2 });
const three = testEngine({ threads: 3 });
const ENGINES: Record<string, Engine> = {
  '1 worker': one,
  '2 workers': two,
  '3 workers': three,
  '5 workers': testEngine({ threads: 5 }),
  '2 workers, 128-bit code': testEngine({ threads: 2, wide: false }),
  '1 scalar worker': testEngine({ threads: 1, engine: 'scalar' }),
  '2 scalar workers': testEngine({ threads: 2, engine: 'scalar' }),
};

const OPTIMIZERS: Record<string, () => Optimizer> = {
  adam: () => adam({ learningRate: 0.01 }),
  'sgd with momentum': () => sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
};

const data = smallDataset(37);
const validation = smallDataset(11, 2);

/** Two epochs with dropout, augmentation and a smaller last batch. */
async function train(engine: Engine, optimizer: Optimizer) {
  await using model = smallModel();
  const untrained = weightsSha256(model);
  const { epochs } = await model.fit(data, {
    engine,
    optimizer,
    epochs: 2,
    batchSize: 8,
    validation,
    augmentation: notebookAugmentation,
  });
  assert.notEqual(weightsSha256(model), untrained);
  const metrics = epochs.map(({ loss, accuracy, valLoss, valAccuracy }) => [
    loss,
    accuracy,
    valLoss,
    valAccuracy,
  ]);
  return { hash: weightsSha256(model), metrics };
}

for (const [name, make] of Object.entries(OPTIMIZERS)) {
  test(`26: ${name}: any number of workers, of any engine, leaves the same weights and metrics, bit for bit`, async () => {
    const expected = await train(one, make());
    for (const [label, engine] of Object.entries(ENGINES)) {
      assert.deepEqual(await train(engine, make()), expected, label);
    }
  });
}

test('engines of a model’s own do as shared ones, and changing them between fits keeps the optimizer’s state', async () => {
  const optimizer = adam({ learningRate: 0.01 });
  const options = { optimizer, batchSize: 8, augmentation: notebookAugmentation };
  await using steady = smallModel();
  for (let i = 0; i < 4; i++) await steady.fit(data, { ...options, engine: one });
  await using moving = smallModel();
  await moving.fit(data, { ...options, threads: 2 });
  await moving.fit(data, { ...options, threads: 1, engine: 'scalar' });
  await moving.fit(data, { ...options, engine: three });
  await moving.fit(data, options);
  assert.equal(weightsSha256(moving), weightsSha256(steady));
});

test('two models share an engine in turn without disturbing each other', async () => {
  const options = { engine: two, batchSize: 8, optimizer: 'adam' } as const;
  const alone: string[] = [];
  for (const seed of [1, 2]) {
    await using model = smallModel(seed);
    for (let i = 0; i < 3; i++) await model.fit(data, options);
    alone.push(weightsSha256(model));
  }
  await using first = smallModel(1);
  await using second = smallModel(2);
  for (let i = 0; i < 3; i++) {
    await first.fit(data, options);
    await second.fit(data, options);
  }
  assert.deepEqual([weightsSha256(first), weightsSha256(second)], alone);
});

test('two models may train at the same time on one engine', async () => {
  const options = { engine: two, batchSize: 8, epochs: 2 } as const;
  const run = async (seed: number) => {
    await using model = smallModel(seed);
    await model.fit(data, options);
    return weightsSha256(model);
  };
  const expected = [await run(1), await run(2)];
  assert.deepEqual(await Promise.all([run(1), run(2)]), expected);
});
