import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type BatchBuffer, DataError, type Dataset } from '../../src/index.ts';
import { allWeights, smallDataset, smallModel, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 2 });
const data = smallDataset(21);

/** A user's data set: the small images, read in its own way. */
const own = (read: Dataset['read']): Dataset => ({ ...data, read });

async function train(dataset: Dataset, validation?: Dataset) {
  await using model = smallModel();
  const options = { engine, epochs: 2, batchSize: 4, ...(validation && { validation }) };
  const { epochs } = await model.fit(dataset, options);
  return { weights: allWeights(model), losses: epochs.map(({ loss, valLoss }) => [loss, valLoss]) };
}

test('a data set that reads when it pleases trains like one in memory', async () => {
  let reads = 0;
  const late = own(async (indices, into) => {
    await wait((reads++ % 3) * 2);
    await data.read(indices, into);
  });
  const expected = await train(data, data);
  const actual = await train(late, late);
  assertSameBits(actual.weights, expected.weights);
  assert.deepEqual(actual.losses, expected.losses);
  assert.ok(reads >= 12);
});

test('a step’s samples are read while the one before it runs, never two batches at once', async () => {
  let [open, most] = [0, 0];
  const counted = own(async (indices, into) => {
    open += 1;
    most = Math.max(most, open);
    await wait(1);
    await data.read(indices, into);
    open -= 1;
  });
  await train(counted);
  assert.equal(most, 1);
});

test('the arrays to fill hold the batch exactly, the last one too', async () => {
  const seen: [number, number, number][] = [];
  const watched = own((indices, into: BatchBuffer) => {
    seen.push([indices.length, into.inputs.length, into.targets.length]);
    return data.read(indices, into);
  });
  await using model = smallModel();
  await model.fit(watched, { engine, batchSize: 8 });
  assert.deepEqual(seen, [
    [8, 8 * 192, 8],
    [8, 8 * 192, 8],
    [5, 5 * 192, 5],
  ]);
});

for (const [how, fail] of Object.entries({
  'throws at once': () => {
    throw new TypeError('disk on fire');
  },
  'rejects later': async () => {
    await wait(1);
    throw new TypeError('disk on fire');
  },
})) {
  test(`a read that ${how} becomes a DataError with its cause, and the model can be used again`, async () => {
    let reads = 0;
    const failing = own((indices, into) => (++reads === 3 ? fail() : data.read(indices, into)));
    await using model = smallModel();
    await assert.rejects(model.fit(failing, { engine, batchSize: 4 }), (error) => {
      assert.ok(error instanceof DataError && error.cause instanceof TypeError);
      assert.match(error.message, /^dataset: read: expected samples \d+, \.\.\., got disk on fire$/);
      return true;
    });
    await model.fit(data, { engine, batchSize: 4 });
    reads = 0;
    const later = own((indices, into) => (++reads === 2 ? fail() : data.read(indices, into)));
    await assert.rejects(model.evaluate(later, { engine, batchSize: 4 }), DataError);
    reads = 0;
    await assert.rejects(model.predict({ ...later, size: 8 }, { engine, batchSize: 4 }), DataError);
    assert.ok(Number.isFinite((await model.evaluate(data, { engine })).loss));
  });
}

test('a DataError of the data set’s own passes unchanged', async () => {
  const mine = new DataError({ operation: 'mine', expected: 'a file', received: 'none' });
  await using model = smallModel();
  const dataset = own(() => {
    throw mine;
  });
  await assert.rejects(model.fit(dataset, { engine }), (error) => error === mine);
});

test('a label outside the classes is refused', async () => {
  const wrong = own(async (indices, into) => {
    await data.read(indices, into);
    into.targets[1] = 4;
  });
  await using model = smallModel();
  await assert.rejects(model.fit(wrong, { engine }), {
    name: 'DataError',
    message: /a class index below 4, got 4/,
  });
});
