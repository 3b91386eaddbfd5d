import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  add,
  ConfigError,
  conv2d,
  dense,
  flatten,
  functional,
  input,
  type Model,
  maxPooling2d,
  sequential,
} from '../../src/index.ts';
import { CLASSES, IMAGE, smallDataset, testEngine } from '../helpers/conformance-data.ts';

const data = smallDataset(16);
const engine = testEngine({ threads: 2 });
const models: Model[] = [];
after(async () => {
  for (const model of models) await model.close();
});

function keep(model: Model): Model {
  models.push(model);
  return model;
}

const body = (filters = 4) => [
  conv2d({ name: 'block1_conv', filters, kernelSize: 3, padding: 'same', activation: 'elu' }),
  maxPooling2d({ name: 'block1_pool' }),
  conv2d({ name: 'block2_conv', filters, kernelSize: 3, activation: 'relu' }),
];
const base = () =>
  keep(
    sequential({ inputShape: IMAGE, seed: 4 }, [
      ...body(),
      flatten(),
      dense({ name: 'head', units: CLASSES, activation: 'softmax' }),
    ]),
  );

const HEAD = new Set(['head/weight', 'head/bias']);

test('a frozen body’s bits do not move while the head learns, and have no gradients', async () => {
  const model = base();
  const before = model.getWeights();
  model.freeze('block');
  await model.fit(data, { epochs: 2, batchSize: 8, engine });
  const after = model.getWeights();
  for (const [name, { data: values }] of Object.entries(before)) {
    const equal = Buffer.from(values.buffer).equals(Buffer.from(after[name]!.data.buffer));
    assert.equal(equal, !HEAD.has(name), name);
  }
  const { inputs, targets } = { inputs: new Float32Array(2 * 192).fill(0.5), targets: new Int32Array(2) };
  const { gradients } = await model.gradientsOnBatch({ inputs, targets }, { engine });
  assert.deepEqual(Object.keys(gradients), ['head/weight', 'head/bias']);
  model.unfreeze('block2_conv');
  const more = await model.gradientsOnBatch({ inputs, targets }, { engine });
  assert.deepEqual(Object.keys(more.gradients).sort(), [
    ...['block2_conv/bias', 'block2_conv/weight'],
    ...['head/bias', 'head/weight'],
  ]);
});

test('the head learns as if the body were not frozen: its first gradient is the same', async () => {
  const [free, frozen] = [base(), base()];
  frozen.freeze('block1', 'block2');
  const batch = {
    inputs: Float32Array.from({ length: 3 * 192 }, (_, i) => (i % 7) / 7),
    targets: new Int32Array(3),
  };
  const [one, other] = [
    await free.gradientsOnBatch(batch, { engine }),
    await frozen.gradientsOnBatch(batch, { engine }),
  ];
  assert.equal(one.loss, other.loss);
  for (const name of HEAD) assert.deepEqual(other.gradients[name], one.gradients[name]);
});

test('trainable: false is what freeze does', async () => {
  const [first, ...rest] = body();
  const still = conv2d({
    name: 'block1_conv',
    filters: 4,
    kernelSize: 3,
    padding: 'same',
    activation: 'elu',
    trainable: false,
  });
  assert.equal(first!.name, still.name);
  const layers = [still, ...rest, flatten(), dense({ name: 'head', units: CLASSES, activation: 'softmax' })];
  const declared = keep(sequential({ inputShape: IMAGE, seed: 4 }, layers));
  const frozen = base();
  frozen.freeze('block1_conv');
  for (const model of [declared, frozen]) await model.fit(data, { batchSize: 8, engine });
  assert.deepEqual(declared.getWeights(), frozen.getWeights());
});

test('a prefix that no layer has is refused', () => {
  assert.throws(() => base().freeze('block1', 'tail'), {
    name: 'ConfigError',
    message:
      'freeze: prefix: expected the beginning of one of block1_conv, block1_pool, block2_conv, flatten, head, got "tail"',
  });
});

test('a new head on another model’s body keeps the body’s trained weights', async () => {
  const model = base();
  await model.fit(data, { batchSize: 8, engine });
  const trained = model.getWeights();
  const top = dense({ name: 'other', units: 3, activation: 'softmax' });
  const outputs = top(flatten()(model.tensor('block2_conv')));
  const transferred = keep(functional({ inputs: model.inputs, outputs, seed: 9 }));
  const own = transferred.getWeights();
  assert.deepEqual(Object.keys(own), [...Object.keys(trained).slice(0, 4), 'other/weight', 'other/bias']);
  for (const name of Object.keys(trained).slice(0, 4)) assert.deepEqual(own[name], trained[name]);
  transferred.freeze('block');
  await transferred.trainOnBatch(
    { inputs: new Float32Array(192).fill(1), targets: new Int32Array(1) },
    { engine },
  );
  for (const name of Object.keys(trained).slice(0, 4))
    assert.deepEqual(transferred.getWeights()[name], trained[name]);
  assert.deepEqual(model.getWeights(), trained, 'the models are independent');
});

test('activations by name are what the layers return, those of the last the prediction', async () => {
  const model = base();
  const shown = await model.activations(data, ['block1_conv', 'block2_conv', 'head'], {
    engine,
    batchSize: 5,
  });
  assert.deepEqual(shown.head, await model.predict(data, { engine }));
  assert.deepEqual(shown.block1_conv!.shape, [16, 8, 8, 4]);
  const part = keep(functional({ inputs: model.inputs, outputs: model.tensor('block2_conv') }));
  assert.deepEqual(await part.predict(data, { engine }), shown.block2_conv);
  assert.ok(
    shown.block1_conv!.data.some((value) => value < 0 && value > -1),
    'ELU was applied',
  );
  await assert.rejects(model.activations(data, ['block9']), ConfigError);
  await assert.rejects(model.activations(data, []), /at least one name of a layer/);
});

test('a model is a layer: nested under a name, shared where applied twice', async () => {
  const inner = keep(sequential({ inputShape: IMAGE, seed: 4 }, body(3)));
  const x = input({ shape: IMAGE });
  const one = inner.apply(x, { name: 'encoder' });
  const outer = keep(functional({ inputs: x, outputs: add()([one, inner.apply(x, { name: 'encoder' })]) }));
  assert.deepEqual(Object.keys(outer.getWeights()), [
    ...['encoder/block1_conv/weight', 'encoder/block1_conv/bias'],
    ...['encoder/block2_conv/weight', 'encoder/block2_conv/bias'],
  ]);
  const [twice, once] = [await outer.predict(data, { engine }), await inner.predict(data, { engine })];
  assert.deepEqual(
    twice.data,
    once.data.map((value) => 2 * value),
  );
  outer.freeze('encoder/block1');
  assert.throws(
    () => inner.apply(input({ shape: [4, 4, 3] })),
    /apply: inputs: expected \[8, 8, 3\], got \[4, 4, 3\]/,
  );
  assert.throws(() => inner.apply(3 as never), {
    name: 'ConfigError',
    message: /^apply: inputs: expected tensors, /,
  });
});
