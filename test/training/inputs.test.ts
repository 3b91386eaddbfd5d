/** Models with several inputs: the twin with one input, whose channels it slices, has the same bits. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  arrayDataset,
  concatenate,
  conv2d,
  dense,
  flatten,
  functional,
  input,
  load,
  type Model,
  type NamedDataset,
  namedDataset,
  notebookAugmentation,
  type SymbolicTensor,
  sliceChannels,
  subset,
  trainTestSplit,
  weightsSha256,
} from '../../src/index.ts';
import { uniforms } from '../helpers/arbitraries.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 2 });
const models: Model[] = [];
after(async () => {
  for (const model of models) await model.close();
});

const SIZE = 13;
const [COLOURS, DEPTHS] = [3, 2];
const next = uniforms(5);
const both = Float32Array.from({ length: SIZE * 36 * (COLOURS + DEPTHS) }, next);
const targets = Int32Array.from({ length: SIZE }, (_, i) => i % 3);
const channels = (from: number, count: number) =>
  both.filter((_, i) => {
    const channel = i % (COLOURS + DEPTHS);
    return channel >= from && channel < from + count;
  });
const single = arrayDataset({ inputs: both, inputShape: [6, 6, 5], targets, classes: 3 });
const image = { values: channels(0, COLOURS), shape: [6, 6, COLOURS] };
const depth = { values: channels(COLOURS, DEPTHS), shape: [6, 6, DEPTHS] };
const label = { values: targets, classes: 3 };
// In another order than the model's.
const named = namedDataset({ inputs: { depth, image }, targets: { label } });

function head(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  const left = conv2d({ name: 'left', filters: 4, kernelSize: 3, activation: 'relu' })(a);
  const right = conv2d({ name: 'right', filters: 3, kernelSize: 3, activation: 'relu' })(b);
  const joined = flatten()(concatenate()([left, right]));
  return dense({ name: 'top', units: 3, activation: 'softmax' })(joined);
}

function twoInputs(): Model {
  const a = input({ shape: image.shape });
  const b = input({ shape: depth.shape });
  const model = functional({ inputs: { image: a, depth: b }, outputs: head(a, b), seed: 4 });
  models.push(model);
  return model;
}

function oneInput(): Model {
  const whole = input({ shape: [6, 6, 5] });
  const a = sliceChannels({ size: COLOURS })(whole);
  const b = sliceChannels({ start: COLOURS })(whole);
  const model = functional({ inputs: whole, outputs: head(a, b), seed: 4 });
  models.push(model);
  return model;
}

test('several inputs: loss, gradients, training, evaluation and answers of the twin with one', async () => {
  const [two, one] = [twoInputs(), oneInput()];
  const batch = { image: image.values, depth: depth.values };
  const found = await two.gradientsOnBatch({ inputs: batch, targets }, { engine });
  const wanted = await one.gradientsOnBatch({ inputs: both, targets }, { engine });
  assert.equal(found.loss, wanted.loss);
  for (const [name, { data }] of Object.entries(wanted.gradients)) {
    assertSameBits(found.gradients[name]!.data, data, name);
  }
  const options = { engine, epochs: 2, batchSize: 5, augmentation: notebookAugmentation };
  await two.fit(named, { ...options, augmentedInputs: ['image', 'depth'], validation: named });
  await one.fit(single, options);
  assert.equal(weightsSha256(two), weightsSha256(one));
  assert.deepEqual(await two.evaluate(named, { engine }), await one.evaluate(single, { engine }));
  const answers = await one.predict(single, { engine });
  assert.deepEqual(await two.predict(named, { engine }), answers);
  assert.deepEqual(await two.predict(batch, { engine, batchSize: 4 }), answers);
  const { left } = await two.activations(batch, ['left'], { engine });
  assert.deepEqual(left, (await one.activations(single, ['left'], { engine })).left);
});

test('bytes are normalised and images augmented input by input; the same bits on 1 and 3 workers', async () => {
  const pixels = Uint8Array.from({ length: SIZE * 36 * 3 }, () => 256 * next());
  const photo = { values: pixels, shape: [6, 6, 3], normalization: { kind: 'scale' } as const };
  const meta = { values: Float32Array.from({ length: SIZE * 5 }, next), shape: [5] };
  const data = namedDataset({ inputs: { photo, meta }, targets: { label } });
  const make = () => {
    const a = input({ shape: [6, 6, 3], name: 'photo' });
    const b = input({ shape: [5], name: 'meta' });
    const x = flatten()(conv2d({ filters: 3, kernelSize: 3, activation: 'relu' })(a));
    const y = dense({ units: 6, activation: 'relu' })(b);
    const outputs = dense({ units: 3, activation: 'softmax' })(concatenate()([x, y]));
    return functional({ inputs: [a, b], outputs, seed: 2 });
  };
  const results = new Set<string>();
  for (const where of [{ threads: 1 }, { threads: 3 }, { threads: 2, engine: 'scalar' }] as const) {
    await using model = make();
    await model.fit(data, { ...where, epochs: 2, batchSize: 6, augmentation: notebookAugmentation });
    results.add(weightsSha256(model));
    assert.deepEqual(model.trainedOn, { normalizations: { photo: { kind: 'scale' } } });
  }
  assert.equal(results.size, 1);
  // Without augmentation it is a float image, scaled by hand.
  const scaled = { ...photo, values: Float32Array.from(pixels, (byte) => byte / 255) };
  const plain = { values: scaled.values, shape: photo.shape };
  const asFloats = namedDataset({ inputs: { photo: plain, meta }, targets: { label } });
  const [a, b] = [make(), make()];
  models.push(a, b);
  await a.fit(data, { engine, batchSize: 6 });
  await b.fit(asFloats, { engine, batchSize: 6 });
  assert.equal(weightsSha256(a), weightsSha256(b));
});

test('a model of several inputs is saved, loaded, nested and listed', async () => {
  const model = twoInputs();
  await model.fit(named, { engine, batchSize: 5 });
  const file = path.join(temporaryFolder(), 'two.safetensors');
  await model.save(file);
  const again = await load(file);
  models.push(again);
  assert.deepEqual(again.graph.inputNames, ['image', 'depth']);
  const answers = await model.predict(named, { engine });
  assert.deepEqual(await again.predict(named, { engine }), answers);
  const a = input({ shape: image.shape, name: 'image' });
  const b = input({ shape: depth.shape, name: 'depth' });
  const nested = functional({ inputs: [b, a], outputs: model.apply({ image: a, depth: b }) });
  models.push(nested);
  assert.deepEqual((await nested.predict(named, { engine })).data, answers.data);
  assert.throws(() => model.apply({ image: a, deep: b }), {
    message: 'apply: inputs: expected the inputs image, depth, got image, deep',
  });
  const rows = model.summary().split('\n');
  assert.match(rows[0]!, /Connected to$/);
  assert.match(rows[2]!, /^image \(input\) +\[N, 6, 6, 3\] +0 +0$/);
  assert.match(rows[3]!, /^depth \(input\)/);
  assert.match(rows[5]!, /^right .* depth$/);
});

test('a run on several inputs goes on from its checkpoint to the same bits; other data are refused', async () => {
  const folder = path.join(temporaryFolder(), 'checkpoints');
  const options = { engine, epochs: 2, batchSize: 5 };
  const whole = twoInputs();
  await whole.fit(named, options);
  const control = new AbortController();
  const interrupted = {
    ...options,
    checkpoint: { folder },
    signal: control.signal,
    onStep: () => control.abort(),
  };
  assert.equal((await twoInputs().fit(named, interrupted)).end, 'aborted');
  const changed: NamedDataset = namedDataset({
    inputs: { image, depth: { ...depth, values: depth.values.map((x) => x + 1) } },
    targets: { label },
  });
  const resume = { ...options, checkpoint: { folder, resume: true } };
  await assert.rejects(twoInputs().fit(changed, resume), { name: 'ConfigError', message: /dataset/ });
  const resumed = twoInputs();
  await resumed.fit(named, { ...resume, threads: 1 });
  assert.equal(weightsSha256(resumed), weightsSha256(whole));
});

test('parts of a named data set are those of its samples', async () => {
  const { train, test: rest } = trainTestSplit(named, { testSize: 3, seed: 1 });
  assert.deepEqual([train.size, rest.size], [10, 3]);
  const model = twoInputs();
  const whole = await model.predict(named, { engine });
  const part = await model.predict(subset(named, [7, 2]), { engine });
  assert.deepEqual([...part.data], [...whole.data.slice(21, 24), ...whole.data.slice(6, 9)]);
});

test('inputs that are missing, of another shape or nowhere to be used are refused by name', async () => {
  const model = twoInputs();
  const data = (inputs: Parameters<typeof namedDataset>[0]['inputs']) =>
    namedDataset({ inputs, targets: { label } });
  const cases: [Promise<unknown> | (() => unknown), string][] = [
    [
      model.fit(single, { engine }),
      'fit: dataset: expected the inputs image [6, 6, 3], depth [6, 6, 2], got one input [6, 6, 5] (give a data set with inputs by name, such as namedDataset makes)',
    ],
    [
      model.fit(data({ image }), { engine }),
      'fit: dataset.inputs: expected the inputs image [6, 6, 3], depth [6, 6, 2], got image',
    ],
    [
      model.evaluate(data({ image: { ...image, shape: [3, 6, 6] }, depth }), { engine }),
      'evaluate: dataset.inputs.image: expected [6, 6, 3], got [3, 6, 6]',
    ],
    [
      model.fit(named, { engine, augmentation: notebookAugmentation }),
      'fit: augmentedInputs: expected which of the images to augment: image, depth, got no names',
    ],
    [
      model.fit(named, { engine, augmentation: notebookAugmentation, augmentedInputs: ['label'] }),
      'fit: augmentedInputs: expected some of the inputs that are images: image, depth, got label',
    ],
    [
      model.predict(both, { engine }),
      'predict: inputs: expected arrays by name for image [6, 6, 3], depth [6, 6, 2], got one array',
    ],
    [
      model.predict({ image: image.values, depth: depth.values.subarray(72) }, { engine }),
      'predict: inputs.depth: expected 936 floats, 13 samples [6, 6, 2], got 864',
    ],
    [
      model.trainOnBatch({ inputs: { image: image.values }, targets }, { engine }),
      'trainOnBatch: inputs: expected the inputs image [6, 6, 3], depth [6, 6, 2], got image',
    ],
    [
      () => data({ image, depth: { ...depth, values: depth.values.subarray(1) } }),
      'namedDataset: inputs.depth: expected 936 elements, 72 a sample [6, 6, 2], got 935',
    ],
    [() => data({}), 'namedDataset: inputs: expected an object with at least one tensor by name, got none'],
  ];
  for (const [attempt, message] of cases) {
    if (typeof attempt === 'function') assert.throws(attempt, { message });
    else await assert.rejects(attempt, { message });
  }
  const bad = { ...depth, values: depth.values.with(100, Number.NaN) };
  await assert.rejects(model.fit(data({ image, depth: bad }), { engine, shuffle: false, batchSize: 5 }), {
    name: 'NonFiniteLossError',
    message: /NaN in sample 1 of the data set, input depth/,
  });
});
