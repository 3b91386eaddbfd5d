import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ConfigError, load, modelCheckpoint, weightsSha256 } from '../../../src/index.ts';
import { smallDataset, smallModel, testEngine } from '../../helpers/conformance-data.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const engine = testEngine({ threads: 1 });
const data = smallDataset(8);

describe('modelCheckpoint', () => {
  test('saves every epoch under its number', async () => {
    const folder = temporaryFolder();
    await using model = smallModel();
    const hashes: string[] = [];
    await model.fit(data, {
      engine,
      epochs: 3,
      onEpoch: () => void hashes.push(weightsSha256(model)),
      callbacks: [modelCheckpoint(path.join(folder, 'epoch-{epoch}.safetensors'), { monitor: 'loss' })],
    });
    assert.deepEqual(
      readdirSync(folder).sort(),
      [1, 2, 3].map((epoch) => `epoch-${epoch}.safetensors`),
    );
    for (const [i, hash] of hashes.entries()) {
      await using saved = await load(path.join(folder, `epoch-${i + 1}.safetensors`));
      assert.equal(weightsSha256(saved), hash);
    }
  });

  /** Figures as a run would have them, without one. */
  async function feed(checkpoint: ReturnType<typeof modelCheckpoint>, values: readonly number[], from = 1) {
    const saved: number[] = [];
    for (const [i, loss] of values.entries()) {
      const epoch = from + i;
      const record = { epoch, loss, accuracy: 0, learningRate: 0, seconds: 1, imagesPerSecond: 1 };
      const model = { save: async () => void saved.push(epoch) };
      await checkpoint.onEpochEnd!(record, { model } as never);
    }
    return saved;
  }

  test('saves the best one only, if asked; later equals are no better', async () => {
    const checkpoint = modelCheckpoint('x', { monitor: 'loss', saveBestOnly: true });
    assert.deepEqual(await feed(checkpoint, [3, 4, 2, 2, 1.5, 9]), [1, 3, 5]);
    assert.deepEqual([checkpoint.bestEpoch, checkpoint.bestValue], [5, 1.5]);
    const few = modelCheckpoint('x', { monitor: 'loss', saveBestOnly: true, initialValueThreshold: 2 });
    assert.deepEqual(await feed(few, [3, 2, 1]), [3]);
  });

  test('remembers the best one when a run goes on', async () => {
    const options = { monitor: 'loss', saveBestOnly: true } as const;
    const before = modelCheckpoint('x', options);
    await feed(before, [3, 2, 5]);
    const after = modelCheckpoint('x', options);
    after.restoreState!(JSON.parse(JSON.stringify(before.saveState!())));
    assert.equal(after.bestEpoch, 2);
    assert.deepEqual(await feed(after, [2.5, 1], 4), [5]);
    after.restoreState!({ data: modelCheckpoint('x').saveState!().data });
    assert.throws(() => after.restoreState!({ data: { bestEpoch: 'x' } }), ConfigError);
  });

  test('refuses figures that epochs do not have, before a file is written', async () => {
    const file = path.join(temporaryFolder(), 'best.safetensors');
    await using model = smallModel();
    await assert.rejects(
      model.fit(data, { engine, callbacks: [modelCheckpoint(file)] }),
      /modelCheckpoint: monitor: expected one of .*, got valLoss \(give fit a validation set\)/,
    );
    assert.ok(!existsSync(file));
  });
});
