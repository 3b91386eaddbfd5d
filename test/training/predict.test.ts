import assert from 'node:assert/strict';
import test from 'node:test';
import { arrayDataset, conv2d, dense, flatten, prelu, sequential, subset } from '../../src/index.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import {
  CLASSES,
  IMAGE,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 2 });
const scalar = testEngine({ threads: 1, engine: 'scalar' });
const data = smallDataset(37);

test('a sample’s prediction is the same by itself, among many, in any batch, on any engine, bit for bit', async () => {
  await using model = smallModel();
  const { shape, data: all } = await model.predict(data, { engine });
  assert.deepEqual(shape, [37, CLASSES]);
  for (const batchSize of [1, 5, 36, 1000]) {
    assertSameBits((await model.predict(data, { engine, batchSize })).data, all, `batchSize ${batchSize}`);
  }
  assertSameBits((await model.predict(data, { engine: scalar })).data, all, 'scalar');
  for (const i of [0, 17, 36]) {
    const alone = await model.predict(subset(data, [i]), { engine });
    assertSameBits(alone.data, all.slice(i * CLASSES, (i + 1) * CLASSES), `sample ${i}`);
  }
});

test('a softmax’s outputs are probabilities, and the same again: nothing is dropped', async () => {
  await using model = smallModel();
  const first = await model.predict(data, { engine });
  for (let i = 0; i < 37; i++) {
    const row = first.data.subarray(i * CLASSES, (i + 1) * CLASSES);
    assert.ok(row.every((p) => p > 0 && p < 1));
    assert.ok(Math.abs(row.reduce((sum, p) => sum + p, 0) - 1) <= CLASSES * 2 ** -24);
  }
  assertSameBits((await model.predict(data, { engine })).data, first.data);
});

test('evaluate does not depend on the batch size, and agrees with predict', async () => {
  await using model = smallModel();
  const metrics = await model.evaluate(data, { engine });
  for (const batchSize of [1, 7, 37, 500]) {
    assert.deepEqual(await model.evaluate(data, { engine, batchSize }), metrics, `batchSize ${batchSize}`);
  }
  assert.deepEqual(await model.evaluate(data, { engine: scalar }), metrics, 'scalar');
  const { data: outputs } = await model.predict(data, { engine });
  const { targets } = smallImages(37);
  let [loss, correct] = [0, 0];
  targets.forEach((target, i) => {
    const row = outputs.subarray(i * CLASSES, (i + 1) * CLASSES);
    loss -= Math.log(row[target]!);
    correct += row.every((p) => p <= row[target]!) ? 1 : 0;
  });
  assert.equal(metrics.accuracy, correct / 37);
  // A probability is rounded once, which moves its logarithm by at most a unit.
  assert.ok(Math.abs(metrics.loss - loss / 37) <= 2 ** -23);
});

test('floats are taken as they are: a data set of the same floats gives the same', async () => {
  await using model = smallModel();
  const floats = randomNormals(3, 5 * 192);
  const dataset = arrayDataset({
    inputs: floats,
    inputShape: IMAGE,
    targets: new Int32Array(5),
    classes: CLASSES,
  });
  const direct = await model.predict(floats, { engine });
  assertSameBits(direct.data, (await model.predict(dataset, { engine })).data);
});

test('normalisation is applied before the first layer', async () => {
  await using model = smallModel();
  const { inputs, targets } = smallImages(6);
  const scaled = arrayDataset({
    inputs,
    inputShape: IMAGE,
    targets,
    classes: CLASSES,
    normalization: { kind: 'scale' },
  });
  const byHand = Float32Array.from(inputs, (pixel) => Math.fround(pixel / 255));
  assertSameBits(
    (await model.predict(scaled, { engine })).data,
    (await model.predict(byHand, { engine })).data,
  );
});

test('outputs may be images, and of more values than inputs', async () => {
  await using model = sequential({ inputShape: [4, 5, 1] }, [
    conv2d({ filters: 6, kernelSize: 3, padding: 'same' }),
    prelu({ alphaInitializer: 'ones' }),
  ]);
  const one = await model.predict(randomNormals(1, 20), { engine });
  assert.deepEqual(one.shape, [1, 4, 5, 6]);
  const inputs = randomNormals(1, 60);
  const three = await model.predict(inputs, { engine });
  assert.deepEqual(three.shape, [3, 4, 5, 6]);
  assertSameBits(three.data.slice(0, 120), one.data);
});

test('a single large image is spread over the workers without changing a bit', async () => {
  const layers = [
    conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }),
    conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'gelu' }),
    conv2d({ filters: 4, kernelSize: 5, strides: 4 }),
    flatten(),
    dense({ units: 5, activation: 'softmax' }),
  ];
  await using model = sequential({ inputShape: [40, 48, 3], seed: 3 }, layers);
  const images = randomNormals(4, 3 * 40 * 48 * 3);
  const many = await model.predict(images, { engine });
  for (let i = 0; i < 3; i++) {
    const alone = await model.predict(images.slice(i * 5760, (i + 1) * 5760), { engine });
    assertSameBits(alone.data, many.data.slice(5 * i, 5 * i + 5), `image ${i}`);
  }
});

test('inputs that do not fit are refused', async () => {
  await using model = smallModel();
  for (const length of [0, 191, 193]) {
    await assert.rejects(model.predict(new Float32Array(length), { engine }), {
      name: 'ShapeError',
      message: `predict: inputs: expected a multiple of 192 floats, got ${length}`,
    });
  }
  const other = { ...data, inputShape: [8, 4, 6] };
  const plain = { ...other, normalization: { kind: 'none' } } as const;
  await assert.rejects(model.predict(plain, { engine }), {
    name: 'ShapeError',
    message: /\[8, 8, 3\], got \[8, 4, 6\]/,
  });
  for (const batchSize of [0, 1.5]) {
    await assert.rejects(model.predict(data, { engine, batchSize }), { name: 'ConfigError' });
    await assert.rejects(model.evaluate(data, { engine, batchSize }), { name: 'ConfigError' });
  }
});
