/** Several programs of one model, and several models on one engine. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ConfigError, StateError } from '../../src/errors.ts';
import { weightsSha256 } from '../../src/io/weights-hash.ts';
import { planProgram } from '../../src/model/plan.ts';
import { createEngine } from '../../src/parallel/engine.ts';
import { Runner } from '../../src/parallel/runner.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { smallData, smallModel } from '../helpers/small-model.ts';

const engine = createEngine({ threads: 2, engine: 'scalar' });
after(() => engine.close());
const data = smallData(22);
const options: FitOptions = { batchSize: 8, epochs: 2, engine };

/** The weights after a training run that nothing disturbs. */
async function undisturbed(): Promise<string> {
  const model = smallModel();
  await model.fit(data, options);
  return weightsSha256(model);
}

test('more programs between two epochs than are kept ready change nothing', async () => {
  const model = smallModel();
  await model.fit(data, {
    ...options,
    async onEpoch() {
      for (let batchSize = 1; batchSize <= 10; batchSize++) {
        await model.predict(smallData(batchSize), { batchSize, engine });
      }
    },
  });
  assert.equal(weightsSha256(model), await undisturbed());
});

describe('a runner never runs a step on memory that another program has used', () => {
  /** A runner with two programs of prediction, for 2 and for 3 samples. */
  function twoPrograms() {
    const runner = new Runner(engine);
    for (const batchSize of [2, 3]) {
      runner.open(String(batchSize), () =>
        planProgram(smallModel().graph, {
          mode: 'predict',
          batchSize,
          shardSize: 1,
          input: { type: 'float32', mode: 'none', mean: [], std: [], augmented: false },
          seed: 1,
        }),
      );
    }
    return runner;
  }

  test('a step whose input was written before another program took over is refused', async () => {
    const runner = twoPrograms();
    runner.input('2', 0, 2);
    runner.input('3', 0, 3);
    await assert.rejects(runner.run('2', 0, 2), StateError);
    await runner.run('3', 0, 3);
    runner.input('2', 0, 2);
    await runner.run('2', 0, 2);
  });

  test('while a step is running, nothing else may be opened, filled or run', async () => {
    const runner = twoPrograms();
    runner.input('2', 0, 2);
    const running = runner.run('2', 0, 2);
    assert.ok(runner.running);
    runner.input('2', 1, 2);
    assert.throws(() => runner.input('3', 0, 3), StateError);
    assert.throws(() => runner.open('2', () => assert.fail('planned again')), StateError);
    await assert.rejects(runner.run('2', 1, 2), StateError);
    await running;
    assert.ok(!runner.running);
    await runner.run('2', 1, 2);
  });
});

test('two models train side by side on one engine as each does alone', async () => {
  const models = [smallModel(), smallModel()];
  await Promise.all(models.map((model) => model.fit(data, options)));
  const expected = await undisturbed();
  for (const model of models) assert.equal(weightsSha256(model), expected);
});

test('weights that were set reach the next run', async () => {
  const [model, other] = [smallModel(1), smallModel(2)];
  const before = await model.predict(data, { engine });
  model.setWeights(other.getWeights());
  const now = await model.predict(data, { engine });
  assert.notDeepEqual(now, before);
  assert.deepEqual(now, await other.predict(data, { engine }));
});

test('options without sense are refused', () => {
  for (const threads of [0, 65, 1.5, Number.NaN]) assert.throws(() => createEngine({ threads }), ConfigError);
  assert.throws(() => createEngine({ engine: 'gpu' as 'simd' }), ConfigError);
  for (const patienceMs of [0, -1, Number.NaN])
    assert.throws(() => createEngine({ patienceMs }), ConfigError);
});

test('a closed engine refuses to run', async () => {
  const closed = createEngine({ threads: 1, engine: 'scalar' });
  await closed.close();
  await closed.close();
  await assert.rejects(smallModel().fit(data, { ...options, engine: closed }), StateError);
});
