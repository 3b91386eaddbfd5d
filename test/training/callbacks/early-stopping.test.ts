import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, type EpochRecord, earlyStopping } from '../../../src/index.ts';
import type { TrainingRun } from '../../../src/training/callbacks/callback.ts';
import { smallDataset, smallModel, testEngine } from '../../helpers/conformance-data.ts';

const engine = testEngine({ threads: 1 });

/** Lets the callback see these validation losses; the epoch after which it stops, or 0. */
async function stopsAfter(options: Parameters<typeof earlyStopping>[0], values: readonly number[]) {
  const callback = earlyStopping(options);
  const run = { model: { getWeights: () => ({}), setWeights: () => {} } } as unknown as TrainingRun;
  await callback.onTrainBegin!(run);
  for (const [i, value] of values.entries()) {
    const record = { epoch: i + 1, valLoss: value, accuracy: value } as unknown as EpochRecord;
    if ((await callback.onEpochEnd!(record, run)) === 'stop') {
      assert.equal(callback.stoppedEpoch, i + 1);
      return { epoch: i + 1, best: callback.bestEpoch };
    }
  }
  return { epoch: 0, best: callback.bestEpoch };
}

describe('earlyStopping', () => {
  test('stops after `patience` epochs in a row without improvement', async () => {
    assert.deepEqual(await stopsAfter({ patience: 2 }, [3, 2, 2.5, 1.9, 2, 2]), { epoch: 6, best: 4 });
    assert.deepEqual(await stopsAfter({ patience: 3 }, [3, 2, 2.5, 2.2, 1.9, 2, 2]), { epoch: 0, best: 5 });
    assert.deepEqual(await stopsAfter({}, [3, 3]), { epoch: 2, best: 1 });
    assert.deepEqual(await stopsAfter({ patience: 1 }, [3, 3]), { epoch: 2, best: 1 });
  });

  test('takes more of an accuracy to be better, and what `mode` says', async () => {
    assert.deepEqual(await stopsAfter({ monitor: 'accuracy' }, [0.1, 0.2, 0.2]), { epoch: 3, best: 2 });
    assert.deepEqual(await stopsAfter({ mode: 'max' }, [1, 2, 1]), { epoch: 3, best: 2 });
  });

  test('counts no improvement of minDelta or less, none below the baseline, none before startFromEpoch', async () => {
    assert.deepEqual(await stopsAfter({ minDelta: 0.5 }, [3, 2.5]), { epoch: 2, best: 1 });
    assert.deepEqual(await stopsAfter({ baseline: 1, patience: 2 }, [3, 2]), { epoch: 2, best: 0 });
    assert.deepEqual(await stopsAfter({ startFromEpoch: 3 }, [3, 4, 5, 6]), { epoch: 4, best: 1 });
  });

  test('takes NaN for no improvement', async () => {
    assert.deepEqual(await stopsAfter({ patience: 2 }, [3, Number.NaN, Number.NaN]), { epoch: 3, best: 1 });
  });

  test('gives back the weights of the best epoch', async () => {
    const data = smallDataset(12);
    await using model = smallModel();
    const byEpoch: ReturnType<typeof model.getWeights>[] = [];
    const stopping = earlyStopping({ monitor: 'epoch', mode: 'min', patience: 2, restoreBestWeights: true });
    const { end, epochs } = await model.fit(data, {
      engine,
      epochs: 9,
      callbacks: [stopping],
      onEpoch: () => {
        byEpoch.push(model.getWeights());
      },
    });
    assert.equal(end, 'stopped');
    // The figure is the epoch's number and less is better, so the first one is the best.
    assert.equal(stopping.bestEpoch, 1);
    assert.equal(epochs.length, 3);
    assert.deepEqual(model.getWeights(), byEpoch[0]);
    assert.notDeepEqual(byEpoch[0], byEpoch[2]);
  });

  test('leaves the weights of an aborted run, which may be gone on with', async () => {
    const controller = new AbortController();
    await using model = smallModel();
    let last = model.getWeights();
    const stopping = earlyStopping({ monitor: 'epoch', mode: 'min', patience: 9, restoreBestWeights: true });
    const { end } = await model.fit(smallDataset(12), {
      engine,
      epochs: 9,
      callbacks: [stopping],
      signal: controller.signal,
      onEpoch: ({ epoch }) => {
        last = model.getWeights();
        if (epoch === 3) controller.abort();
      },
    });
    assert.equal(end, 'aborted');
    assert.deepEqual(model.getWeights(), last);
  });

  test('refuses what makes no sense, and figures that are not there', async () => {
    const message = (options: Parameters<typeof earlyStopping>[0]) => {
      try {
        earlyStopping(options);
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        return error.message;
      }
      return 'nothing';
    };
    assert.equal(
      message({ patience: -1 }),
      'earlyStopping: patience: expected a whole number of epochs from 0 on, got -1',
    );
    assert.match(message({ minDelta: Number.NaN }), /minDelta: expected a finite number from 0 on, got NaN/);
    assert.match(message({ mode: 'most' as 'max' }), /mode: expected 'auto', 'min' or 'max', got most/);
    await using model = smallModel();
    await assert.rejects(
      model.fit(smallDataset(8), { engine, callbacks: [earlyStopping()] }),
      /earlyStopping: monitor: expected one of epoch, loss, accuracy, .*, got valLoss \(give fit a validation set\)/,
    );
  });
});
