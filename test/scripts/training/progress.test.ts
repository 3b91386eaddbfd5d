/** How a run is shown, in terminals of any width and without one. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { barLine } from '../../../scripts/training/bar.ts';
import { formatDuration } from '../../../scripts/training/duration.ts';
import { createProgress, epochLine } from '../../../scripts/training/progress.ts';

const record = {
  epoch: 2,
  loss: 1.23456,
  accuracy: 0.5,
  valLoss: 1.5,
  valAccuracy: 0.25,
  seconds: 12.34,
  learningRate: 0.001,
  imagesPerSecond: 987.6,
};

const halfway = {
  loss: 2,
  accuracy: 0.1,
  epoch: 2,
  epochs: 20,
  step: 703,
  steps: 1407,
  learningRate: 0.001,
  imagesPerSecond: 1165.4,
  secondsLeft: 65,
};

test('an epoch is a line like that of Keras; the best one is marked', () => {
  const line =
    'Epoch 2/20 - 12.3s - 988 images/s - loss: 1.2346 - accuracy: 0.5000 - val_loss: 1.5000 - val_accuracy: 0.2500';
  assert.equal(epochLine(record, 20), line);
  assert.equal(epochLine(record, 20, true), `${line} - best`);
  assert.match(epochLine({ ...record, skippedSteps: 3 }, 20), / - skipped steps: 3$/);
});

test('durations are printed as clocks show them', () => {
  assert.deepEqual([0, 42.4, 725, 3723, 36_000].map(formatDuration), [
    '0:00',
    '0:42',
    '12:05',
    '1:02:03',
    '10:00:00',
  ]);
});

test('the bar says where the epoch is, and gets shorter where there is less room', () => {
  assert.equal(
    barLine(halfway, 120),
    `2/20  ${'█'.repeat(15)}${'░'.repeat(15)}  703/1407  1165 images/s  loss 2.0000  accuracy 0.1000  1:05 left`,
  );
  assert.match(barLine({ ...halfway, step: 1407 }, 120), /^2\/20 {2}█{30} .* validating$/);
  assert.match(barLine(halfway, 60), /^2\/20 {2}█{6}░{6} {2}loss 2\.0000 {2}accuracy 0\.1000 {2}1:05 left$/);
  assert.match(barLine(halfway, 40), /^2\/20 {2}[█░]{9} {2}loss 2\.0000 {2}1:05 left$/);
  for (let columns = 1; columns < 200; columns++) {
    const line = barLine(halfway, columns);
    assert.ok(line.length <= Math.max(10, columns - 1), `${columns}: ${line}`);
    assert.match(line, /^2\/20/);
  }
});

test('numbers have an error and no accuracy; outputs have their losses', () => {
  const numbers = { accuracy: Number.NaN, meanAbsoluteError: 0.25 };
  const checked = { valAccuracy: Number.NaN, valMeanAbsoluteError: 0.5 };
  assert.equal(
    epochLine({ ...record, ...numbers, ...checked }, 20),
    'Epoch 2/20 - 12.3s - 988 images/s - loss: 1.2346 - error: 0.2500 - val_loss: 1.5000 - val_error: 0.5000',
  );
  assert.match(barLine({ ...halfway, ...numbers }, 120), / {2}loss 2\.0000 {2}error 0\.2500 {2}1:05 left$/);
  const outputs = { kind: { loss: 0.75, accuracy: 0.1 }, place: { loss: 1.25, meanAbsoluteError: 1 } };
  assert.match(
    epochLine({ ...record, outputs, valOutputs: outputs }, 20),
    / - accuracy: 0\.5000 - kind_loss: 0\.7500 - place_loss: 1\.2500 - val_loss: .* - val_place_loss: 1\.2500$/,
  );
  const wide = barLine({ ...halfway, outputs }, 140);
  assert.match(wide, / {2}accuracy 0\.1000 {2}kind_loss 0\.7500 {2}place_loss 1\.2500 {2}1:05 left$/);
  assert.doesNotMatch(barLine({ ...halfway, outputs }, 80), /place_loss/);
});

/** What progress writes for an epoch of three steps. */
function written(isTTY: boolean): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY, columns: 100, hasColors: () => false });
  const progress = createProgress(terminal as never);
  for (let step = 1; step <= 3; step++) progress.step({ ...halfway, step, steps: 3 });
  progress.epoch(record, 20, true);
  progress.stop();
  return text;
}

test('without a terminal there are plain lines, in a terminal a bar that is gone in the end', () => {
  assert.equal(written(false), `${epochLine(record, 20, true)}\n`);
  const bar = written(true);
  assert.match(bar, /2\/20 .* 1\/3 .*1165 images\/s/);
  assert.ok(stripVTControlCharacters(bar).endsWith(`${epochLine(record, 20, true)}\n`));
});
