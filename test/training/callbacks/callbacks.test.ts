import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Callback, type FitOptions, sgd } from '../../../src/index.ts';
import { smallDataset, smallModel, testEngine } from '../../helpers/conformance-data.ts';

const engine = testEngine({ threads: 1 });
const data = smallDataset(12);
const options: FitOptions = { batchSize: 8, epochs: 2, optimizer: sgd(), engine };

/** A callback that writes down what it is called with. */
function witness(log: string[], name = ''): Callback {
  return {
    onTrainBegin: ({ epochs, dataset }) => {
      log.push(`${name}begin ${epochs} ${dataset.size}`);
    },
    onBatchEnd: async ({ epoch, step, steps, learningRate }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.push(`${name}batch ${epoch} ${step}/${steps} ${learningRate}`);
    },
    onEpochEnd: async ({ epoch }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.push(`${name}epoch ${epoch}`);
    },
    onTrainEnd: ({ epochs, end }) => {
      log.push(`${name}end ${epochs.length} ${end}`);
    },
  };
}

describe('callbacks', () => {
  test('are waited for and called in the order of the run', async () => {
    const log: string[] = [];
    await using model = smallModel();
    await model.fit(data, { ...options, callbacks: [witness(log)] });
    assert.deepEqual(log, [
      'begin 2 12',
      'batch 1 1/2 0.01',
      'batch 1 2/2 0.01',
      'epoch 1',
      'batch 2 1/2 0.01',
      'batch 2 2/2 0.01',
      'epoch 2',
      'end 2 finished',
    ]);
  });

  test('come after onStep and onEpoch, one after the other', async () => {
    const log: string[] = [];
    await using model = smallModel();
    await model.fit(data, {
      ...options,
      epochs: 1,
      batchSize: 12,
      callbacks: [witness(log, 'a '), witness(log, 'b ')],
      onStep: () => {
        log.push('onStep');
      },
      onEpoch: () => {
        log.push('onEpoch');
      },
    });
    const middle = [
      'onStep',
      'a batch 1 1/1 0.01',
      'b batch 1 1/1 0.01',
      'onEpoch',
      'a epoch 1',
      'b epoch 1',
    ];
    assert.deepEqual(log.slice(2, -2), middle);
  });

  test('change nothing of the weights, not even where they evaluate the model', async () => {
    await using model = smallModel();
    await using plain = smallModel();
    const looking: Callback = {
      onEpochEnd: async (_, run) => {
        await run.model.evaluate(data, { engine });
      },
    };
    await model.fit(data, { ...options, callbacks: [looking] });
    await plain.fit(data, options);
    assert.deepEqual(model.getWeights(), plain.getWeights());
  });

  test('end the run with "stop", and all of them hear of that epoch', async () => {
    const log: string[] = [];
    await using model = smallModel();
    const stopping: Callback = { onEpochEnd: ({ epoch }) => (epoch === 2 ? 'stop' : undefined) };
    const history = await model.fit(data, { ...options, epochs: 9, callbacks: [stopping, witness(log)] });
    assert.equal(history.end, 'stopped');
    assert.equal(history.epochs.length, 2);
    assert.deepEqual(log.slice(-2), ['epoch 2', 'end 2 stopped']);
  });

  test('that throw end the run with their error, and the model can be used afterwards', async () => {
    const log: string[] = [];
    await using model = smallModel();
    const failing: Callback = {
      onEpochEnd: () => {
        throw new Error('no space left');
      },
    };
    const run = model.fit(data, { ...options, callbacks: [failing, witness(log)] });
    await assert.rejects(run, /no space left/);
    assert.ok(!log.some((line) => line.startsWith('end')));
    assert.ok((await model.evaluate(data, { engine })).loss > 0);
  });

  test('hear of an aborted run', async () => {
    const log: string[] = [];
    const controller = new AbortController();
    await using model = smallModel();
    const aborting: Callback = { onBatchEnd: ({ epoch }) => (epoch === 2 ? controller.abort() : undefined) };
    const callbacks = [aborting, witness(log)];
    await model.fit(data, { ...options, signal: controller.signal, callbacks });
    assert.equal(log.at(-1), 'end 1 aborted');
  });
});

describe('epochs', () => {
  test('gives the records that fit gives, and the history at its end', async () => {
    await using model = smallModel();
    await using twin = smallModel();
    const losses: number[] = [];
    for await (const { loss } of model.epochs(data, options)) losses.push(loss);
    const history = await twin.fit(data, options);
    assert.deepEqual(
      losses,
      history.epochs.map(({ loss }) => loss),
    );
    assert.deepEqual(model.getWeights(), twin.getWeights());
  });

  test('ends the run where the loop is left, with onTrainEnd, and sets the model free', async () => {
    const log: string[] = [];
    await using model = smallModel();
    for await (const { epoch } of model.epochs(data, { ...options, epochs: 5, callbacks: [witness(log)] })) {
      assert.ok((await model.evaluate(data, { engine })).loss > 0);
      if (epoch === 2) break;
    }
    assert.equal(log.at(-1), 'end 2 stopped');
    assert.equal((await model.fit(data, options)).end, 'finished');
  });

  test('throws what fit throws', async () => {
    await using model = smallModel();
    await assert.rejects(model.epochs(data, { ...options, epochs: -1 }).next(), /fit: epochs: expected/);
  });
});

test('records tell the learning rate of the last step', async () => {
  await using model = smallModel();
  const optimizer = sgd({ learningRate: (step) => 1 / (step + 100) });
  const { epochs } = await model.fit(data, { ...options, optimizer });
  assert.deepEqual(
    epochs.map(({ learningRate }) => learningRate),
    [1 / 101, 1 / 103],
  );
});
