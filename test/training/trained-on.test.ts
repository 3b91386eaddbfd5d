/** What a model's file says of the data that it was trained on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  arrayDataset,
  ConfigError,
  type Dataset,
  dense,
  load,
  ShapeError,
  sequential,
  subset,
} from '../../src/index.ts';
import { smallDataset, smallModel, testEngine } from '../helpers/conformance-data.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 1 });
const folder = temporaryFolder();
const plain = smallDataset(8);

const described: Dataset = {
  ...plain,
  classNames: ['a', 'b', 'c', '<d>'],
  normalization: { kind: 'standardize', mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 1 / 3] },
  resize: 'crop',
};
const { classNames, normalization, resize } = described;

test('names of classes, normalisation and resizing go from the data set through fit and the file', async () => {
  const file = path.join(folder, 'described.safetensors');
  await using model = smallModel();
  assert.equal(model.trainedOn, undefined);
  await model.fit(subset(described, 8), { engine });
  assert.deepEqual(model.trainedOn, { classNames, normalization, resize });
  await model.save(file);
  await using again = await load(file);
  assert.deepEqual(again.trainedOn, { classNames, normalization, resize });
});

test('a file without them stays one of version 1', async () => {
  const file = path.join(folder, 'plain.safetensors');
  await using model = smallModel();
  await model.save(file);
  assert.match(readFileSync(file, 'latin1'), /"version":"1"/);
  model.trainedOn = { resize: 'pad' };
  await model.save(file);
  assert.match(readFileSync(file, 'latin1'), /"version":"2"/);
  await using again = await load(file);
  assert.deepEqual(again.trainedOn, { resize: 'pad' });
});

test('a checkpoint of a run has them, too', async () => {
  const checkpoint = { folder: path.join(folder, 'checkpoints') };
  await using model = smallModel();
  await model.fit(described, { engine, checkpoint });
  await using again = await load(path.join(checkpoint.folder, 'checkpoint-00000001.safetensors'));
  assert.deepEqual(again.trainedOn?.classNames, classNames);
  await using resumed = smallModel();
  await resumed.fit(described, { engine, epochs: 2, checkpoint: { ...checkpoint, resume: true } });
  assert.deepEqual(resumed.trainedOn, { classNames, normalization, resize });
});

test('one output may have two names, no and yes', async () => {
  const file = path.join(folder, 'binary.safetensors');
  await using model = sequential({ inputShape: [2] }, [dense({ units: 1, activation: 'sigmoid' })]);
  const inputs = new Float32Array(8);
  const data = arrayDataset({ inputs, inputShape: [2], targets: [0, 1, 1, 0], classNames: ['no', 'yes'] });
  await model.fit(data, { engine, loss: 'binaryCrossentropy' });
  await model.save(file);
  await using again = await load(file);
  assert.deepEqual(again.trainedOn, { classNames: ['no', 'yes'] });
  assert.throws(() => {
    model.trainedOn = { classNames: ['a', 'b', 'c'] };
  }, /^ConfigError: trainedOn: classNames: expected at most 2 names, got 3$/);
});

test('what does not fit the model is refused', async () => {
  await using model = smallModel();
  const refused = (value: unknown, message: RegExp) =>
    assert.throws(
      () => {
        model.trainedOn = value as never;
      },
      (error) => (error instanceof ConfigError || error instanceof ShapeError) && message.test(error.message),
    );
  refused({ classNames: ['a'] }, /^trainedOn: classNames: expected a name for each of 4 outputs, got 1$/);
  refused({ classNames: [1, 2, 3, 4] }, /expected names of classes/);
  refused({ resize: 'fold' }, /expected 'stretch', 'crop' or 'pad', got "fold"/);
  refused({ normalization: { kind: 'standardize', mean: [0], std: [1] } }, /each of 3 channels/);
  refused({ normalization: { kind: 'x' } }, /normalization\.kind/);
  refused([], /expected an object/);
  assert.equal(model.trainedOn, undefined);
});
