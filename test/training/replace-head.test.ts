import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  activation,
  ConfigError,
  conv2d,
  copyModel,
  dense,
  flatten,
  functional,
  globalAveragePooling2d,
  input,
  type Model,
  replaceHead,
  sequential,
} from '../../src/index.ts';
import { gradCam } from '../../src/report/index.ts';
import { testEngine } from '../helpers/conformance-data.ts';

const engine = testEngine({ threads: 1 });
const image = Float32Array.from({ length: 5 * 4 * 3 }, (_, i) => ((i * 37) % 101) / 50 - 1);

/** A classifier of four classes: its softmax is a layer of its own, or belongs to the head. */
function trained(apart: boolean): Model {
  const head = { units: 4, name: 'head' };
  return sequential({ inputShape: [5, 4, 3], seed: 3, numerics: 'direct' }, [
    conv2d({ filters: 6, kernelSize: 3, activation: 'tanh', name: 'body' }),
    flatten(),
    dense({ units: 5, activation: 'relu', name: 'hidden' }),
    ...(apart
      ? [dense(head), activation({ function: 'softmax', name: 'classes' })]
      : [dense({ ...head, activation: 'softmax' })]),
  ]);
}

const outputsOf = async (model: Model) => [...(await model.predict(image, { engine })).data];

describe('copyModel', () => {
  test('gives the same answers, and has weights of its own', async () => {
    await using model = trained(true);
    model.trainedOn = { classNames: ['a', 'b', 'c', 'd'], normalization: { kind: 'scale' } };
    const before = await outputsOf(model);
    await using copy = copyModel(model, { seed: 8 });
    assert.deepEqual([copy.seed, copy.numerics, copy.graph.outputNames], [8, 'direct', ['output']]);
    assert.deepEqual(copy.trainedOn, model.trainedOn);
    model.setWeights({ 'head/bias': [1, 2, 3, 4] });
    await model.close();
    assert.deepEqual(await outputsOf(copy), before);
  });

  test('keeps several outputs, shared layers and what passes by', async () => {
    const [image, shared] = [input({ shape: [6] }), dense({ units: 6, activation: 'tanh', name: 'twice' })];
    const [once, twice] = [shared(image), shared(shared(image))];
    const outputs = { main: dense({ units: 2, name: 'last' })(twice), side: once };
    await using model = functional({ inputs: image, outputs, seed: 1 });
    await using copy = copyModel(model);
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    assert.deepEqual(await copy.predictAll(values, { engine }), await model.predictAll(values, { engine }));
    assert.equal(copy.parameterCount, model.parameterCount);
  });
});

test('what training leaves alone it leaves alone in copies, new heads and models of its layers', async () => {
  await using model = trained(true);
  model.freeze('body', 'head');
  await using copy = copyModel(model);
  await using headed = replaceHead(model, { classes: 2 });
  const start = input({ shape: [5, 4, 3] });
  await using nested = functional({ inputs: start, outputs: model.apply(start, { name: 'inner' }) });
  const found = [model, copy, headed, nested].map(({ frozen }) => [...frozen]);
  assert.deepEqual(found, [['body', 'head'], ['body', 'head'], ['body'], ['inner/body', 'inner/head']]);
  const before = copy.getWeights();
  await copy.trainOnBatch({ inputs: image, targets: Int32Array.of(1) }, { engine });
  const moved = Object.entries(copy.getWeights()).filter(([name, { data }]) => {
    return data.some((value, i) => value !== before[name]!.data[i]);
  });
  assert.deepEqual(
    moved.map(([name]) => name),
    ['hidden/weight', 'hidden/bias'],
  );
  copy.unfreeze('');
  assert.deepEqual([model.frozen.size, copy.frozen.size], [2, 0], 'from then on each has its own');
});

describe('replaceHead', () => {
  test('of a model within a model keeps its layers’ names', async () => {
    for (const apart of [false, true]) {
      await using inner = trained(apart);
      const image = input({ shape: [5, 4, 3] });
      await using outer = functional({ inputs: image, outputs: inner.apply(image, { name: 'inner' }) });
      await using made = replaceHead(outer, { classes: 2 });
      assert.deepEqual(Object.keys(made.getWeights()), Object.keys(outer.getWeights()));
      assert.deepEqual(made.outputShape, [2]);
    }
  });

  for (const apart of [false, true]) {
    test(`keeps all but the last dense layer, ${apart ? 'and the softmax behind it' : 'its softmax is its own'}`, async () => {
      const model = trained(apart);
      model.trainedOn = { classNames: ['a', 'b', 'c', 'd'], resize: 'crop' };
      const weights = model.getWeights();
      await using made = replaceHead(model, { classes: 2, seed: 5 });
      await model.close();
      assert.deepEqual(made.outputShape, [2]);
      assert.deepEqual(made.trainedOn, { resize: 'crop' });
      const { 'head/weight': head, 'head/bias': bias, ...rest } = made.getWeights();
      assert.deepEqual(
        [head!.shape, [...bias!.data]],
        [
          [5, 2],
          [0, 0],
        ],
      );
      for (const [name, weight] of Object.entries(rest)) assert.deepEqual(weight, weights[name], name);
      assert.equal(Object.keys(rest).length, 4);
      const [a, b] = (await outputsOf(made)) as [number, number];
      assert.ok(Math.abs(a + b - 1) < 1e-6, 'a softmax over two classes');
      await using other = replaceHead(made, { classes: 2, seed: 6 });
      assert.notDeepEqual(other.getWeights()['head/weight'], head);
      await using same = replaceHead(made, { classes: 2, seed: 5 });
      assert.deepEqual(same.getWeights()['head/weight'], head);
    });
  }

  test('the model can be looked into when the one before is closed', async () => {
    const model = trained(false);
    await using made = replaceHead(model, { classes: 2 });
    await model.close();
    const { width, height } = await gradCam(made, image, 1, { engine });
    assert.deepEqual([height, width], [3, 2]);
  });

  test('refuses a model whose last parameters are no dense layer’s', async () => {
    await using model = sequential({ inputShape: [5, 4, 3] }, [
      conv2d({ filters: 3, kernelSize: 1, name: 'scores' }),
      globalAveragePooling2d(),
      activation({ function: 'softmax' }),
    ]);
    assert.throws(
      () => replaceHead(model, { classes: 2 }),
      (error) =>
        error instanceof ConfigError &&
        error.message ===
          'replaceHead: model: expected a dense layer as the last one with parameters, got conv2d "scores"',
    );
  });
});
