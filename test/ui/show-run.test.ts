import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  arrayDataset,
  conv2d,
  dense,
  FileError,
  flatten,
  jsonlLogger,
  type Model,
  sequential,
} from '../../src/index.ts';
import { showRun } from '../../src/ui/index.ts';
import { viewOfEvents } from '../../src/ui/run-events.ts';
import type { RunView } from '../../src/ui/run-view.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { listen } from '../helpers/ui-listener.ts';

const engine = testEngine({ threads: 1 });
const data = arrayDataset({
  inputs: Uint8Array.from({ length: 12 * 75 }, (_, i) => (i * 37) % 251),
  inputShape: [5, 5, 3],
  targets: Int32Array.from({ length: 12 }, (_, i) => i % 3),
});

const network = (): Model =>
  sequential({ inputShape: [5, 5, 3], seed: 2 }, [
    conv2d({ filters: 4, kernelSize: 3 }),
    flatten(),
    dense({ units: 3, activation: 'softmax' }),
  ]);

/** A run's folder as train:cifar leaves it. */
async function finishedRun() {
  const folder = temporaryFolder();
  const model = network();
  const log = jsonlLogger(path.join(folder, 'metrics.jsonl'), { everySeconds: 0 });
  const { epochs } = await model.fit(data, {
    engine,
    epochs: 3,
    batchSize: 4,
    validation: data,
    callbacks: [log],
  });
  await model.save(path.join(folder, 'model.safetensors'));
  await model.close();
  return { folder, epochs };
}

const START: RunView = {
  title: 't',
  status: 'waiting',
  controllable: false,
  epochs: 0,
  records: [],
  points: [],
};

describe('the page of a run’s folder', () => {
  test('shows a finished run: epochs, points, filters, samples with answers', async () => {
    const { folder, epochs } = await finishedRun();
    const shown = await showRun(folder, { samples: data, sampleCount: 4 });
    const { view } = await listen(shown);
    assert.equal(view.status, 'finished');
    assert.equal(view.title, path.basename(folder));
    assert.equal(view.controllable, false);
    assert.deepEqual(view.records, epochs);
    assert.deepEqual(
      view.points.map(({ epoch }) => epoch.toFixed(2)),
      '0.33 0.67 1.00 1.33 1.67 2.00 2.33 2.67 3.00'.split(' '),
    );
    // The mean of an epoch's points is the epoch's own.
    const first = view.points.slice(0, 3).reduce((sum, { loss }) => sum + loss / 3, 0);
    assert.ok(Math.abs(first - epochs[0]!.loss) < 1e-6);
    assert.equal(view.filters!.pictures.length, 4);
    assert.equal(view.samples!.pictures.length, 4);
    await shown.close();
  });

  test('follows a run that is under way, and its best model', async () => {
    const { folder } = await finishedRun();
    const going = temporaryFolder();
    const events = path.join(going, 'metrics.jsonl');
    const line = (event: object) => `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`;
    writeFileSync(events, line({ event: 'begin', epochs: 9, samples: 40 }));
    const shown = await showRun(going, { everySeconds: 0.02 });
    const listener = await listen(shown);
    assert.deepEqual([listener.view.status, listener.view.epochs], ['running', 9]);
    appendFileSync(
      events,
      `${line({ event: 'epoch', epoch: 1, loss: 2, accuracy: 0.5 })}{"event":"epoch","epo`,
    );
    const { view } = await listener.until(({ records }) => records.length === 1);
    assert.equal(view.filters, undefined);
    copyFileSync(path.join(folder, 'model.safetensors'), path.join(going, 'best.safetensors'));
    await listener.until(({ filters }) => filters?.epoch === 1);
    appendFileSync(events, `ch":2}\n${line({ event: 'end', end: 'aborted' })}`);
    await listener.until(({ status }) => status === 'aborted');
    await shown.close();
  });

  test('a model that cannot be read is said, the rest is shown', async () => {
    const { folder } = await finishedRun();
    writeFileSync(path.join(folder, 'model.safetensors'), 'nonsense');
    const shown = await showRun(folder);
    assert.match(shown.view.message!, /^model\.safetensors cannot be shown: load/);
    assert.equal(shown.view.records.length, 3);
    await shown.close();
  });

  test('a folder that is none, or no run’s, is refused', async () => {
    await assert.rejects(
      showRun(path.join(temporaryFolder(), 'none')),
      (error) =>
        error instanceof FileError &&
        /metrics\.jsonl: expected to read it, got ENOENT.*name the folder of a run/.test(error.message),
    );
  });
});

describe('events', () => {
  const at = (seconds: number) => new Date(1e12 + 1000 * seconds).toISOString();
  const text = (...events: object[]) => events.map((event) => JSON.stringify(event)).join('\n');
  const steps = (step: number, loss: number, seconds: number) => ({
    ...{ event: 'steps', time: at(seconds), epoch: 1, epochs: 2, step, steps: 10, loss, accuracy: 0.5 },
    ...{ learningRate: 0.1, imagesPerSecond: 7, secondsLeft: 1 },
  });

  test('points are means between two looks, and images/s counted between them', () => {
    const lines = text(
      { event: 'begin', time: at(0), epochs: 2, samples: 100 },
      steps(2, 3, 1),
      steps(4, 2, 3),
    );
    const { points, status } = viewOfEvents(START, lines, 1e12 + 4000);
    assert.equal(status, 'running');
    assert.deepEqual(
      points.map(({ epoch, loss }) => [epoch, loss]),
      [
        [0.2, 3],
        [0.4, 1],
      ],
    );
    assert.deepEqual(
      points.map(({ imagesPerSecond }) => imagesPerSecond),
      [7, 10],
    );
  });

  test('a run on numbers, which have no accuracy, is shown like others', () => {
    const { accuracy: _, ...step } = steps(2, 3, 1);
    const epoch = { event: 'epoch', time: at(2), epoch: 1, loss: 2, meanAbsoluteError: 1, valLoss: 4 };
    const { points, records, progress } = viewOfEvents(START, text(step, epoch), 1e12 + 3000);
    assert.deepEqual([points[0]!.loss, points[0]!.accuracy], [3, Number.NaN]);
    assert.deepEqual([records[0]!.accuracy, records[0]!.valAccuracy], [Number.NaN, Number.NaN]);
    assert.equal(progress!.loss, 3);
  });

  test('a run that went on has its later epochs once', () => {
    const epoch = (n: number, loss: number) => ({ event: 'epoch', time: at(n), epoch: n, loss, accuracy: 0 });
    const begin = { event: 'begin', time: at(0), epochs: 3, samples: 1 };
    const lines = text(begin, epoch(1, 5), epoch(2, 4), { event: 'end', end: 'aborted' }, begin, epoch(2, 3));
    const { records, status } = viewOfEvents(START, lines, 1e12 + 3000);
    assert.deepEqual(
      records.map(({ loss }) => loss),
      [5, 3],
    );
    assert.equal(status, 'running');
  });

  test('a run without news is silent; failures say why; nonsense is passed over', () => {
    const begin = { event: 'begin', time: at(0), epochs: 3, samples: 1 };
    assert.equal(viewOfEvents(START, text(begin), 1e12 + 119_000).status, 'running');
    assert.equal(viewOfEvents(START, text(begin), 1e12 + 121_000).status, 'silent');
    const failed = viewOfEvents(START, text(begin, { event: 'failed', message: 'NaN' }), 1e12 + 1e9);
    assert.deepEqual([failed.status, failed.message], ['failed', 'NaN']);
    const nonsense = [
      '',
      'null',
      '7',
      '[]',
      '{}',
      '{"event":"steps"}',
      '{"event":"epoch","epoch":"1"}',
      '{"event":"end","end":3}',
      '{"event":"begin","epochs":-1}',
      '{',
    ];
    const view = viewOfEvents(START, nonsense.join('\n'), 1e12);
    assert.deepEqual([view.records, view.points, view.epochs], [[], [], 0]);
  });
});
