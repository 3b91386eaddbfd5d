import assert from 'node:assert/strict';
import test from 'node:test';
import { type Dataset, type FitOptions, StateError } from '../../src/index.ts';
import {
  allWeights,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 2 });
const other = testEngine({ threads: 1, engine: 'scalar' });
const data = smallDataset(37);
const options: FitOptions = { engine, batchSize: 8, epochs: 2 };

/** Weights after an undisturbed run. */
async function undisturbed(): Promise<Float32Array> {
  await using model = smallModel();
  await model.fit(data, options);
  return allWeights(model);
}

test('a second operation while one is running is refused, and the first does not notice', async () => {
  await using model = smallModel();
  const { inputs, targets } = smallImages(4);
  const running = model.fit(data, options);
  const busy = (error: unknown) => {
    assert.ok(error instanceof StateError);
    assert.match(
      error.message,
      /one operation on a model at a time, got a call while fit is running \(await/,
    );
    return true;
  };
  await assert.rejects(model.evaluate(data, { engine }), busy);
  await assert.rejects(model.predict(data, { engine, batchSize: 300 }), busy);
  await assert.rejects(model.fit(data, options), busy);
  await assert.rejects(model.trainOnBatch({ inputs, targets }, { engine }), busy);
  await assert.rejects(model.gradientsOnBatch({ inputs, targets }, { engine: other }), busy);
  await running;
  assertSameBits(allWeights(model), await undisturbed());
  assert.ok(Number.isFinite((await model.evaluate(data, { engine })).loss));
});

test('onEpoch may use the model in any way: what follows is as if it had not', async () => {
  await using model = smallModel();
  const { inputs, targets } = smallImages(50);
  const losses: number[] = [];
  await model.fit(data, {
    ...options,
    validation: data,
    async onEpoch({ valLoss }) {
      const { loss } = await model.evaluate(data, { engine: other });
      losses.push(valLoss!, loss);
      await model.predict(new Float32Array(300 * 192), { engine: other, batchSize: 300 });
      await model.gradientsOnBatch({ inputs, targets }, { threads: 1, engine: 'simd' });
      for (let batchSize = 1; batchSize < 12; batchSize++) await model.evaluate(data, { batchSize });
    },
  });
  assert.equal(losses[0], losses[1]);
  assert.equal(losses[2], losses[3]);
  assertSameBits(allWeights(model), await undisturbed());
});

test('weights can be read and written between steps, not in the middle of one', async () => {
  await using model = smallModel();
  const errors: unknown[] = [];
  let reads = 0;
  const watching: Dataset = {
    ...data,
    read(indices, into) {
      // From the second on, a batch is read while the step before it runs.
      reads += 1;
      for (const call of [() => model.getWeights(), () => model.setWeights({})]) {
        try {
          call();
        } catch (error) {
          errors.push(error);
        }
      }
      return data.read(indices, into);
    },
  };
  const read: Float32Array[] = [];
  await model.fit(watching, { engine, batchSize: 8, onStep: () => void read.push(allWeights(model)) });
  assert.equal(reads, 5);
  assert.equal(errors.length, 8);
  assert.ok(
    errors.every((error) => error instanceof StateError && /in the middle of one/.test(error.message)),
  );
  assert.equal(new Set(read.map((weights) => weights.join())).size, 5, 'each step changes the weights');
  assertSameBits(read[4]!, allWeights(model));
});

test('weights written in onStep are those that the next step starts from', async () => {
  await using model = smallModel();
  const initial = model.getWeights();
  await model.fit(data, {
    ...options,
    optimizer: 'sgd',
    onStep: ({ epoch, step, steps }) => {
      if (epoch === 1 && step === steps) model.setWeights(initial);
    },
  });
  await using fresh = smallModel();
  const seen: Float32Array[] = [];
  await fresh.fit(data, {
    ...options,
    optimizer: 'sgd',
    onStep: ({ epoch, step, steps }) => {
      if (epoch === 1 && step === steps) fresh.setWeights(initial);
      if (epoch === 2 && step === steps) seen.push(allWeights(fresh));
    },
  });
  assertSameBits(allWeights(model), seen[0]!);
  assert.notDeepEqual(allWeights(model), await undisturbed());
});

test('an error in onStep or onEpoch ends the run, and leaves the model usable', async () => {
  await using model = smallModel();
  const mine = new RangeError('enough');
  const fail = () => {
    throw mine;
  };
  for (const callback of [{ onStep: fail }, { onEpoch: fail }, { onEpoch: () => Promise.reject(mine) }]) {
    await assert.rejects(model.fit(data, { ...options, ...callback }), (error) => error === mine);
  }
  await model.fit(data, options);
});
