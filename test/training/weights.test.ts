import assert from 'node:assert/strict';
import test from 'node:test';
import { dense, flatten, prelu, sequential, weightsSha256 } from '../../src/index.ts';
import {
  allWeights,
  IMAGE,
  smallDataset,
  smallLayers,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 1 });
const data = smallDataset(16);

test('weights go by layer and parameter, in the order of the layers, in Keras’ shapes', async () => {
  await using model = smallModel();
  const shapes = Object.entries(model.getWeights()).map(([name, { shape }]) => [name, shape]);
  assert.deepEqual(shapes, [
    ['conv2d/weight', [3, 3, 3, 4]],
    ['conv2d/bias', [4]],
    ['conv2d_1/weight', [3, 3, 4, 5]],
    ['conv2d_1/bias', [5]],
    ['dense/weight', [80, 7]],
    ['dense/bias', [7]],
    ['dense_1/weight', [7, 4]],
    ['dense_1/bias', [4]],
  ]);
});

test('initial weights are a function of seed and name: a layer more elsewhere moves none of them', async () => {
  await using one = smallModel(5);
  await using same = smallModel(5);
  await using other = smallModel(6);
  assert.equal(weightsSha256(one), weightsSha256(same));
  assert.notEqual(weightsSha256(one), weightsSha256(other));
  await using more = sequential({ inputShape: IMAGE, seed: 5 }, [prelu({}), ...smallLayers()]);
  const { 'prelu/alpha': alpha, ...rest } = more.getWeights();
  assert.deepEqual(rest, one.getWeights());
  assert.ok(alpha!.data.every((value) => value === 0));
  const { 'conv2d/weight': first, 'conv2d_1/weight': second } = one.getWeights();
  assert.notDeepEqual(first!.data.slice(0, 9), second!.data.slice(0, 9));
});

test('what getWeights gives, setWeights takes: another model predicts and trains on alike', async () => {
  await using trained = smallModel(1);
  await trained.fit(data, { engine });
  await using copy = smallModel(1);
  copy.setWeights(trained.getWeights());
  assertSameBits(allWeights(copy), allWeights(trained));
  assertSameBits((await copy.predict(data, { engine })).data, (await trained.predict(data, { engine })).data);
});

test('prepared copies follow: new weights between two predictions, and between two fits, are used', async () => {
  // Without dropout, whose masks differ from step to step.
  const layers = smallLayers().filter(({ type }) => type !== 'dropout');
  await using model = sequential({ inputShape: IMAGE, seed: 1 }, layers);
  const initial = model.getWeights();
  const first = await model.predict(data, { engine });
  await model.fit(data, { engine, optimizer: 'sgd' });
  const trained = await model.predict(data, { engine });
  assert.notDeepEqual(trained.data, first.data);
  model.setWeights(initial);
  assertSameBits((await model.predict(data, { engine })).data, first.data);
  await model.fit(data, { engine, optimizer: 'sgd' });
  assertSameBits((await model.predict(data, { engine })).data, trained.data);
});

test('getWeights gives copies, setWeights makes them', async () => {
  await using model = smallModel(1);
  const weights = model.getWeights();
  weights['dense/bias']!.data.fill(7);
  assert.ok(model.getWeights()['dense/bias']!.data.every((value) => value === 0));
  model.setWeights(weights);
  weights['dense/bias']!.data.fill(9);
  assert.ok(model.getWeights()['dense/bias']!.data.every((value) => value === 7));
});

test('some of the weights, and plain lists of numbers, will do', async () => {
  await using model = smallModel(1);
  const before = model.getWeights();
  model.setWeights({ 'dense_1/bias': [1, 2, 3, 4], 'conv2d/bias': Float64Array.of(1, 0, 0, 0.1) });
  const after = model.getWeights();
  assert.deepEqual([...after['dense_1/bias']!.data], [1, 2, 3, 4]);
  assert.deepEqual([...after['conv2d/bias']!.data], [1, 0, 0, Math.fround(0.1)]);
  assert.deepEqual(after['dense/weight'], before['dense/weight']);
});

test('unknown names and wrong shapes are refused, and then nothing is written', async () => {
  await using model = sequential({ inputShape: [1, 1, 6] }, [flatten(), dense({ units: 2, name: 'top' })]);
  const before = model.getWeights();
  const bias = new Float32Array(2).fill(5);
  const refused = (weights: Parameters<typeof model.setWeights>[0], name: string, message: RegExp) =>
    assert.throws(() => model.setWeights({ 'top/bias': bias, ...weights }), { name, message });
  refused(
    { 'top/kernel': [1] },
    'ConfigError',
    /top\/kernel: expected one of top\/weight, top\/bias, got an unknown name/,
  );
  refused({ 'top/weight': [1, 2] }, 'ShapeError', /top\/weight: expected 12 values, \[6, 2\], got 2$/);
  const transposed = { shape: [2, 6], data: new Float32Array(12) };
  refused(
    { 'top/weight': transposed },
    'ShapeError',
    /expected 12 values, \[6, 2\], got 12 values, \[2, 6\]/,
  );
  assert.deepEqual(model.getWeights(), before);
});
