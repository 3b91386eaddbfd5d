import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { FileError, jsonlLogger, readEpochEvents } from '../../../src/index.ts';
import { smallDataset, smallModel, testEngine } from '../../helpers/conformance-data.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const engine = testEngine({ threads: 1 });
const folder = temporaryFolder();
const data = smallDataset(8);

function eventsOf(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('jsonlLogger', () => {
  test('writes begin, steps, epochs, end and what others tell it, a line each', async () => {
    const file = path.join(folder, 'metrics.jsonl');
    writeFileSync(file, 'of an earlier run');
    await using model = smallModel();
    const logger = jsonlLogger(file, { everySeconds: 0 });
    const { epochs } = await model.fit(data, {
      engine,
      epochs: 2,
      batchSize: 4,
      validation: data,
      callbacks: [logger],
    });
    logger.log('noted', { answer: 42 });
    const events = eventsOf(file);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['begin', 'steps', 'steps', 'epoch', 'steps', 'steps', 'epoch', 'end', 'noted'],
    );
    for (const { time } of events) assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const [begin, step] = events as [Record<string, unknown>, Record<string, unknown>];
    assert.equal(begin.samples, 8);
    assert.equal(begin.parameters, model.parameterCount);
    assert.deepEqual([step.epoch, step.step, step.steps], [1, 1, 2]);
    assert.deepEqual(readEpochEvents(readFileSync(file, 'utf8')), epochs);
    assert.equal(events.at(-2)!.end, 'finished');
    assert.equal(events.at(-1)!.answer, 42);
  });

  test('is sparing with steps', async () => {
    const file = path.join(folder, 'sparing.jsonl');
    await using model = smallModel();
    await model.fit(data, { engine, batchSize: 1, callbacks: [jsonlLogger(file, { everySeconds: 1e6 })] });
    assert.deepEqual(
      eventsOf(file).map(({ event }) => event),
      ['begin', 'epoch', 'end'],
    );
  });

  test('goes on with the file of a run that goes on; a torn line is cut off', async () => {
    const file = path.join(folder, 'resumed.jsonl');
    const checkpoint = { folder: path.join(folder, 'checkpoints') };
    const train = async (epochs: number, resume: boolean) => {
      await using model = smallModel();
      return await model.fit(data, {
        engine,
        epochs,
        checkpoint: { ...checkpoint, resume },
        callbacks: [jsonlLogger(file)],
      });
    };
    await train(1, false);
    appendFileSync(file, '{"event":"epoch","epoch":7,"lo');
    const { epochs } = await train(3, true);
    assert.deepEqual(
      eventsOf(file).map(({ event }) => event),
      ['begin', 'epoch', 'end', 'begin', 'epoch', 'epoch', 'end'],
    );
    assert.deepEqual(readEpochEvents(readFileSync(file, 'utf8')), epochs);
  });

  test('of an epoch that was run again the last one counts, and nothing that came after the first one', () => {
    const line = (epoch: number, loss: number) => JSON.stringify({ event: 'epoch', time: 't', epoch, loss });
    const text = [
      line(1, 1),
      'null',
      '{"event":"steps","epoch":9}',
      line(2, 2),
      line(3, 3),
      line(2, 4),
      '{',
    ].join('\n');
    assert.deepEqual(readEpochEvents(text), [
      { epoch: 1, loss: 1, accuracy: Number.NaN },
      { epoch: 2, loss: 4, accuracy: Number.NaN },
    ]);
    assert.deepEqual(readEpochEvents(''), []);
  });

  test('says that a file cannot be written, before anything is trained', async () => {
    await using model = smallModel();
    const callbacks = [jsonlLogger(path.join(folder, 'missing', 'x.jsonl'))];
    await assert.rejects(
      model.fit(data, { engine, callbacks }),
      (error) =>
        error instanceof FileError &&
        /^jsonlLogger: .*x\.jsonl: expected a file that can/.test(error.message),
    );
  });
});
