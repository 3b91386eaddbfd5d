import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { ConfigError, csvLogger } from '../../../src/index.ts';
import { smallDataset, smallModel, testEngine } from '../../helpers/conformance-data.ts';

const engine = testEngine({ threads: 1 });
const folder = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
after(() => rmSync(folder, { recursive: true }));
const data = smallDataset(8);

describe('csvLogger', () => {
  test('writes a header and a line an epoch that read back as the same numbers', async () => {
    const file = path.join(folder, 'metrics.csv');
    writeFileSync(file, 'of an earlier run\n');
    await using model = smallModel();
    const { epochs } = await model.fit(data, {
      engine,
      epochs: 3,
      validation: data,
      callbacks: [csvLogger(file)],
    });
    const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    const columns = 'epoch,loss,accuracy,valLoss,valAccuracy,learningRate,seconds,imagesPerSecond';
    assert.equal(header, columns);
    assert.deepEqual(
      lines.map((line) => line.split(',').map(Number)),
      epochs.map((record) => Object.values(record)),
    );
  });

  test('goes on in a file that is there, with one header, and can use another separator', async () => {
    const file = path.join(folder, 'more.csv');
    await using model = smallModel();
    for (const initialEpoch of [0, 1]) {
      const callbacks = [csvLogger(file, { append: true, separator: ';' })];
      await model.fit(data, { engine, initialEpoch, epochs: initialEpoch + 1, callbacks });
    }
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(';')[0]),
      ['epoch', '1', '2'],
    );
  });

  test('refuses to add to a file of other figures, and files that cannot be written', async () => {
    const file = path.join(folder, 'other.csv');
    writeFileSync(file, 'epoch,miles\n1,2\n');
    await using model = smallModel();
    const train = (name: string) =>
      model.fit(data, { engine, callbacks: [csvLogger(name, { append: true })] });
    await assert.rejects(
      train(file),
      /csvLogger: .*other\.csv: expected the columns epoch, miles, got epoch, loss/,
    );
    assert.equal(readFileSync(file, 'utf8'), 'epoch,miles\n1,2\n');
    await assert.rejects(train(path.join(folder, 'missing', 'x.csv')), ConfigError);
  });

  test('of a run that goes on from a checkpoint has each epoch once', async () => {
    const file = path.join(folder, 'resumed.csv');
    const train = async (epochs: number, resume: boolean | 'ifAny') => {
      await using model = smallModel();
      const checkpoint = { folder: path.join(folder, 'checkpoints'), resume };
      return await model.fit(data, { engine, epochs, checkpoint, callbacks: [csvLogger(file)] });
    };
    writeFileSync(file, 'of an earlier run\n');
    await train(1, 'ifAny');
    // Written, and then the run was killed before the epoch's checkpoint was.
    appendFileSync(file, '2,9,9,9,9,9\n');
    const { epochs } = await train(3, true);
    const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.match(header!, /^epoch,/);
    assert.deepEqual(
      lines.map((line) => line.split(',').slice(0, 2).map(Number)),
      epochs.map(({ epoch, loss }) => [epoch, loss]),
    );
  });
});
