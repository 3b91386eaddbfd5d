import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  adam,
  ConfigError,
  earlyStopping,
  type FitOptions,
  type Model,
  sgd,
  type Weight,
} from '../../src/index.ts';
import { allWeights, smallDataset, smallModel, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 1 });
const data = smallDataset(24);
const validation = smallDataset(9, 7);
const f = Math.fround;
const MOMENTUM = 0.8;
const averaging = () => sgd({ learningRate: 0.1, useEma: true, emaMomentum: MOMENTUM });

/** Trains, and follows the average by its definition; weights are those of the steps, without averages. */
async function follow(model: Model, options: FitOptions) {
  let average: Float32Array | undefined;
  const [kept, added] = [f(MOMENTUM), f(1 - MOMENTUM)];
  const steps: Float32Array[] = [];
  const history = await model.fit(data, {
    ...options,
    batchSize: 8,
    engine,
    onStep() {
      const weights = allWeights(model);
      steps.push(weights);
      average = average?.map((each, i) => f(f(kept * each) + f(added * weights[i]!))) ?? weights;
    },
  });
  return { average: average!, steps, history };
}

test('after fit the weights are the averages of those of the steps, whose first is the first average', async () => {
  await using model = smallModel();
  const { average, steps } = await follow(model, { optimizer: averaging(), epochs: 3 });
  assertSameBits(allWeights(model), average);
  await using plain = smallModel();
  const other = await follow(plain, { optimizer: sgd({ learningRate: 0.1 }), epochs: 3 });
  steps.forEach((weights, i) => {
    assertSameBits(weights, other.steps[i]!, `step ${i}: averaging does not touch the steps`);
  });
  assertSameBits(allWeights(plain), steps.at(-1)!);
});

test('validation and what comes after an epoch see the averages, the next step the weights', async () => {
  await using model = smallModel();
  await using twin = smallModel();
  const seen: Float32Array[] = [];
  const { history, average } = await follow(model, {
    optimizer: averaging(),
    epochs: 2,
    validation,
    async onEpoch({ valLoss }) {
      const weights: Record<string, Weight> = model.getWeights();
      seen.push(allWeights(model));
      twin.setWeights(weights);
      assert.equal((await model.evaluate(validation, { engine })).loss, valLoss);
      assert.equal((await twin.evaluate(validation, { engine })).loss, valLoss);
    },
  });
  assertSameBits(seen.at(-1)!, average);
  assert.equal(history.epochs.length, 2);
});

test('a loop that the caller leaves, and a run that a signal ends, leave the averages, too', async () => {
  for (const how of ['leave', 'abort'] as const) {
    await using model = smallModel();
    const control = new AbortController();
    const steps: Float32Array[] = [];
    const options: FitOptions = {
      optimizer: averaging(),
      epochs: 3,
      batchSize: 8,
      engine,
      signal: control.signal,
      onStep() {
        steps.push(allWeights(model));
        if (how === 'abort' && steps.length === 5) control.abort();
      },
    };
    for await (const _ of model.epochs(data, options)) if (how === 'leave') break;
    assert.equal(steps.length, how === 'leave' ? 3 : 5);
    const [first, ...rest] = steps;
    const average = rest.reduce(
      (kept, weights) => kept.map((each, i) => f(f(f(MOMENTUM) * each) + f(f(1 - MOMENTUM) * weights[i]!))),
      first!,
    );
    assertSameBits(allWeights(model), average, how);
  }
});

test('training goes on from the averages, whether the loop was left or the run stopped', async () => {
  const found: Float32Array[] = [];
  for (const leaves of [true, false]) {
    await using model = smallModel();
    const options: FitOptions = { optimizer: averaging(), epochs: 2, batchSize: 8, engine };
    const onEpoch = () => (leaves ? undefined : ('stop' as const));
    for await (const _ of model.epochs(data, { ...options, onEpoch })) break;
    await model.fit(data, { ...options, epochs: 1 });
    found.push(allWeights(model));
  }
  assertSameBits(found[0]!, found[1]!);
});

test('frozen layers stay as they are, bit for bit, set weights included', async () => {
  await using model = smallModel();
  model.freeze('conv2d_1');
  await model.fit(data, { optimizer: averaging(), batchSize: 8, engine });
  const bias = Float32Array.of(1, 2, 3, 4, 5);
  model.setWeights({ 'conv2d_1/bias': bias });
  await model.fit(data, { optimizer: averaging(), batchSize: 8, engine });
  assertSameBits(model.getWeights()['conv2d_1/bias']!.data, bias);
});

test('early stopping gives back the best averages', async () => {
  await using model = smallModel();
  const stopping = earlyStopping({ patience: 2, restoreBestWeights: true });
  const best: Float32Array[] = [];
  await model.fit(data, {
    optimizer: sgd({ learningRate: 0.5, useEma: true, emaMomentum: 0.5 }),
    epochs: 12,
    batchSize: 8,
    validation,
    engine,
    callbacks: [stopping, { onEpochEnd: () => void best.push(allWeights(model)) }],
  });
  assertSameBits(allWeights(model), best[stopping.bestEpoch - 1]!);
});

test('the options are refused by name where they make no sense', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => error instanceof ConfigError && message.test(error.message));
  refused(() => adam({ useEma: true, emaMomentum: 1 }), /^adam: emaMomentum: expected 0 to below 1, got 1/);
  refused(() => adam({ useEma: 'yes' as unknown as boolean }), /useEma: expected true or false, got yes/);
});
