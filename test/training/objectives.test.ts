/** Losses and targets of their own for each output. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  concatenate,
  conv2d,
  csvLogger,
  dense,
  earlyStopping,
  flatten,
  functional,
  globalAveragePooling2d,
  input,
  jsonlLogger,
  load,
  type Model,
  namedDataset,
  readEpochEvents,
  type SymbolicTensor,
  topKAccuracy,
  weightsSha256,
} from '../../src/index.ts';
import { uniforms } from '../helpers/arbitraries.ts';
import { CLASSES, IMAGE, smallImages, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 2 });
const models: Model[] = [];
after(async () => {
  for (const model of models) await model.close();
});

const SIZE = 14;
const images = smallImages(SIZE);
const next = uniforms(8);
const pixels = { values: images.inputs, shape: IMAGE, normalization: { kind: 'scale' } as const };
const classes = { values: images.targets, classes: CLASSES };
const box = { values: Float32Array.from({ length: SIZE * 2 }, next), shape: [2] };
// In another order than the outputs.
const data = namedDataset({ inputs: { pixels }, targets: { box, classes } });
const loss = { classes: 'categoricalCrossentropy', box: 'meanSquaredError' } as const;
const lossWeights = { box: 0.5 };

function detector(
  choose = (a: SymbolicTensor, b: SymbolicTensor): Record<string, SymbolicTensor> => ({ classes: a, box: b }),
): Model {
  const image = input({ shape: IMAGE, name: 'pixels' });
  const conv = conv2d({ name: 'body', filters: 4, kernelSize: 3, activation: 'relu' });
  const features = flatten()(conv(image));
  const kinds = dense({ name: 'kinds', units: CLASSES, activation: 'softmax' })(features);
  const place = dense({ name: 'place', units: 2 })(features);
  const model = functional({ inputs: image, outputs: choose(kinds, place), seed: 3 });
  models.push(model);
  return model;
}
const onlyKinds = () => detector((a) => ({ classes: a }));
const onlyPlace = () => detector((_, b) => ({ box: b }));

test('loss and gradients are the weighted sums of each output alone, with its own loss and target', async () => {
  const inputs = { pixels: images.inputs };
  const targets = { classes: classes.values, box: box.values };
  const all = await detector().gradientsOnBatch({ inputs, targets }, { engine, loss, lossWeights });
  const alone = await onlyKinds().gradientsOnBatch({ inputs, targets: classes.values }, { engine });
  const mean = { engine, loss: 'meanSquaredError' } as const;
  const placed = await onlyPlace().gradientsOnBatch({ inputs, targets: box.values }, mean);
  assert.ok(Math.abs(all.loss - (alone.loss + 0.5 * placed.loss)) < 1e-12 * all.loss);
  assert.deepEqual(all.outputs, {
    classes: { loss: alone.loss, accuracy: alone.accuracy },
    box: { loss: placed.loss, meanAbsoluteError: placed.meanAbsoluteError },
  });
  assert.equal(all.accuracy, alone.accuracy);
  assertSameBits(all.gradients['kinds/weight']!.data, alone.gradients['kinds/weight']!.data, 'kinds');
  // 0.5 scales exactly.
  const half = placed.gradients['place/weight']!.data.map((value) => 0.5 * value);
  assertSameBits(all.gradients['place/weight']!.data, half, 'place');
  all.gradients['body/weight']!.data.forEach((value, i) => {
    const [a, b] = [
      alone.gradients['body/weight']!.data[i]!,
      0.5 * placed.gradients['body/weight']!.data[i]!,
    ];
    assert.ok(Math.abs(value - (a + b)) <= 1e-5 * (Math.abs(a) + Math.abs(b)) + 1e-7, `body/weight[${i}]`);
  });
});

test('evaluation and records tell each output’s figures; the model file keeps the outputs', async () => {
  const model = detector();
  const file = path.join(temporaryFolder(), 'metrics.csv');
  const stopping = earlyStopping({ monitor: 'valOutputs.box.loss', patience: 5 });
  const options = { engine, loss, lossWeights, epochs: 2, batchSize: 5, validation: data };
  const seen: number[] = [];
  const { epochs } = await model.fit(data, {
    ...options,
    callbacks: [csvLogger(file), stopping],
    onStep: ({ outputs }) => void seen.push(outputs!.box!.loss, outputs!.classes!.accuracy!),
  });
  assert.equal(seen.length, 12);
  assert.ok(seen.every(Number.isFinite));
  const evaluated = await model.evaluate(data, { engine, loss, lossWeights, batchSize: 3 });
  const last = epochs.at(-1)!;
  assert.equal(last.valLoss, evaluated.loss);
  assert.deepEqual(last.valOutputs, evaluated.outputs);
  const { classes: kinds, box: place } = evaluated.outputs!;
  assert.ok(Math.abs(evaluated.loss - (kinds!.loss + 0.5 * place!.loss)) < 1e-12);
  assert.equal(evaluated.accuracy, kinds!.accuracy);
  const { classes: answers, box: places } = await model.predictAll(data, { engine });
  const squares = places!.data.reduce((sum, value, i) => sum + (value - box.values[i]!) ** 2, 0);
  assert.ok(Math.abs(place!.loss - squares / (2 * SIZE)) < 1e-6);
  const hits = [...classes.values].filter((label, i) => {
    const row = [...answers!.data.subarray(i * CLASSES, (i + 1) * CLASSES)];
    return row.indexOf(Math.max(...row)) === label;
  });
  assert.equal(kinds!.accuracy, hits.length / SIZE);
  const [header, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const columns = header!.split(',');
  assert.ok(columns.includes('outputs.classes.accuracy') && columns.includes('valOutputs.box.loss'));
  assert.equal(Number(lines[1]!.split(',')[columns.indexOf('valOutputs.box.loss')]), place!.loss);
  const saved = path.join(temporaryFolder(), 'detector.safetensors');
  await model.save(saved);
  const again = await load(saved);
  models.push(again);
  assert.deepEqual(await again.evaluate(data, { engine, loss, lossWeights }), evaluated);
});

test('the same bits on 1 and 3 workers, in plain TypeScript, and after a checkpoint in the middle', async () => {
  const metrics = { classes: ['top2Accuracy'], box: ['meanSquaredError'] } as const;
  const options = { loss, lossWeights, metrics, epochs: 2, batchSize: 6 };
  const outcomes = new Set<string>();
  const outcome = async (run: Promise<{ epochs: readonly object[] }>, model: Model) => {
    const { epochs } = await run;
    const figures = epochs.map((epoch) => ({ ...epoch, seconds: 0, imagesPerSecond: 0 }));
    outcomes.add(JSON.stringify([weightsSha256(model), figures]));
    await model.close();
  };
  for (const where of [{ threads: 1 }, { threads: 3 }, { threads: 2, engine: 'scalar' }] as const) {
    const model = detector();
    await outcome(model.fit(data, { ...options, ...where }), model);
  }
  const folder = path.join(temporaryFolder(), 'checkpoints');
  const control = new AbortController();
  let steps = 0;
  const interrupted = {
    ...{ ...options, engine, checkpoint: { folder }, signal: control.signal },
    onStep: () => {
      steps += 1;
      if (steps === 4) control.abort();
    },
  };
  assert.equal((await detector().fit(data, interrupted)).end, 'aborted');
  const resumed = detector();
  await outcome(resumed.fit(data, { ...options, engine, checkpoint: { folder, resume: true } }), resumed);
  assert.equal(outcomes.size, 1);
});

test('one target with losses by output is shared, several targets may share a loss', async () => {
  const image = input({ shape: IMAGE, name: 'pixels' });
  const features = flatten()(image);
  const head = (name: string) => dense({ name, units: 2 })(features);
  const model = functional({ inputs: image, outputs: { a: head('a'), b: head('b') }, seed: 1 });
  models.push(model);
  const single = namedDataset({ inputs: { pixels }, targets: { anything: box } });
  const byName = { a: 'meanSquaredError', b: 'meanAbsoluteError' } as const;
  const { outputs } = await model.evaluate(single, { engine, loss: byName });
  assert.equal(outputs!.b!.loss, outputs!.b!.meanAbsoluteError);
  const other = { ...box, values: box.values.map((value) => value + 1) };
  const several = namedDataset({ inputs: { pixels }, targets: { b: other, a: box } });
  const shared = await model.evaluate(several, { engine, loss: 'meanSquaredError' });
  assert.equal(shared.outputs!.a!.loss, outputs!.a!.loss);
  assert.ok(shared.outputs!.b!.loss > shared.outputs!.a!.loss);
  assert.ok(Number.isNaN(shared.accuracy));
});

test('metrics that were asked for are those of the answers, and change no weight', async () => {
  const model = detector();
  const asked = { engine, loss, lossWeights, batchSize: 5 };
  const metrics = ['top1Accuracy', 'top2Accuracy', 'meanSquaredError', 'accuracy'] as const;
  const { epochs } = await model.fit(data, { ...asked, metrics, validation: data });
  const plain = detector();
  await plain.fit(data, asked);
  assert.equal(weightsSha256(model), weightsSha256(plain));
  const { outputs } = await model.evaluate(data, { ...asked, metrics });
  assert.deepEqual(outputs, epochs[0]!.valOutputs);
  const { classes: answers } = await model.predictAll(data, { engine });
  const { top1Accuracy, top2Accuracy } = outputs!.classes!.metrics!;
  assert.equal(top1Accuracy, outputs!.classes!.accuracy);
  assert.ok(Math.abs(top2Accuracy! - topKAccuracy(classes.values, answers!, 2)) < 1e-12);
  assert.ok(Math.abs(outputs!.box!.metrics!.meanSquaredError! - outputs!.box!.loss) < 1e-6);
  const single = onlyKinds();
  const alone = namedDataset({ inputs: { pixels }, targets: { classes } });
  const found = await single.fit(alone, { engine, metrics: ['top2Accuracy'], validation: alone });
  assert.deepEqual(Object.keys(found.epochs[0]!.valMetrics!), ['top2Accuracy']);
  await assert.rejects(single.fit(alone, { engine, metrics: ['meanSquaredError'] }), {
    name: 'ConfigError',
    message: 'fit: metrics: expected metrics for categoricalCrossentropy, got meanSquaredError',
  });
  await assert.rejects(single.evaluate(alone, { engine, metrics: ['topAccuracy' as 'top1Accuracy'] }), {
    message:
      'evaluate: metrics: expected accuracy, top5Accuracy with any number, meanAbsoluteError or meanSquaredError, got "topAccuracy"',
  });
  await assert.rejects(model.evaluate(data, { ...asked, metrics: { box: ['top2Accuracy'] } }), {
    message: 'evaluate: metrics.box: expected metrics for meanSquaredError, got top2Accuracy',
  });
});

test('numbers alone have no accuracy in files, and their records come back from them as they were', async () => {
  const model = onlyPlace();
  const folder = temporaryFolder();
  const [table, log] = ['metrics.csv', 'metrics.jsonl'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ];
  const single = namedDataset({ inputs: { pixels }, targets: { box } });
  const { epochs } = await model.fit(single, {
    ...{ engine, loss: 'meanSquaredError', validation: single },
    callbacks: [csvLogger(table), jsonlLogger(log, { everySeconds: 0 })],
  });
  assert.ok(Number.isNaN(epochs[0]!.accuracy) && Number.isNaN(epochs[0]!.valAccuracy));
  assert.deepEqual(readEpochEvents(readFileSync(log, 'utf8')), epochs);
  for (const file of [table, log]) {
    const text = readFileSync(file, 'utf8');
    assert.match(text, /valMeanAbsoluteError/);
    assert.doesNotMatch(text, /accuracy|null|NaN/i);
  }
});

test('inputs and outputs may have any name, those of members, too; bands of one large sample have its bits', async () => {
  const shape = [96, 96, 3];
  const [a, b] = [input({ shape }), input({ shape: [2] })];
  const body = conv2d({ filters: 16, kernelSize: 5, activation: 'relu' })(a);
  const joined = concatenate()([globalAveragePooling2d()(body), b]);
  const mask = conv2d({ filters: 2, kernelSize: 1 })(body);
  const outputs = { name: dense({ units: 2 })(joined), order: mask };
  const model = functional({ inputs: { read: a, kind: b }, outputs, seed: 1 });
  models.push(model);
  const values = (count: number) => Float32Array.from({ length: 2 * count }, next);
  const large = namedDataset({
    inputs: { kind: { values: values(2), shape: [2] }, read: { values: values(96 * 96 * 3), shape } },
    targets: {
      order: { values: Int32Array.from({ length: 2 * 92 * 92 }, (_, i) => i % 2), shape: [92, 92] },
      name: { values: [1, 0] },
    },
  });
  const cross = 'categoricalCrossentropy';
  const options = { engine, loss: { name: cross, order: cross }, metrics: ['top1Accuracy'] } as const;
  const one = await model.evaluate(large, { ...options, batchSize: 1 });
  assert.deepEqual(await model.evaluate(large, { ...options, batchSize: 2 }), one);
  for (const { accuracy, metrics } of Object.values(one.outputs!)) {
    assert.ok(Math.abs(metrics!.top1Accuracy! - accuracy!) < 1e-12);
  }
  const all = await model.predictAll(large, { engine, batchSize: 1 });
  assert.deepEqual(await model.predictAll(large, { engine, batchSize: 2 }), all);
});

test('inputs and outputs may have the names of what every object has', async () => {
  const [name, other] = ['constructor', 'toString'];
  const [image, more] = [input({ shape: [2], name }), input({ shape: [1], name: other })];
  const outputs = {
    [name]: dense({ units: 1 })(concatenate()([image, more])),
    [other]: dense({ units: 1 })(more),
  };
  const model = functional({ inputs: [image, more], outputs, seed: 1 });
  const inputs = { [name]: Float32Array.of(1, 2), [other]: Float32Array.of(3) };
  const targets = { [name]: Float32Array.of(1), [other]: Float32Array.of(2) };
  const options = { loss: 'meanSquaredError', metrics: { [other]: ['meanSquaredError'] }, engine } as const;
  const told = await model.trainOnBatch({ inputs, targets, normalization: {} }, options);
  assert.deepEqual(Object.keys(told.outputs!), [name, other]);
  assert.equal(told.loss, told.outputs![name]!.loss + told.outputs![other]!.loss);
  assert.equal(told.outputs![other]!.metrics!.meanSquaredError, told.outputs![other]!.loss);
  const alone = await model.trainOnBatch(
    { inputs, targets },
    { loss: { [other]: 'meanSquaredError' }, engine },
  );
  assert.equal(alone.outputs, undefined);
  await model.close();
});

test('losses and targets that fit no output are refused by name', async () => {
  const model = detector();
  const target = (targets: Parameters<typeof namedDataset>[0]['targets']) =>
    namedDataset({ inputs: { pixels }, targets });
  const cases: [Promise<unknown>, string][] = [
    [
      model.fit(target({ classes, boxes: box }), { engine, loss }),
      'fit: dataset.targets: expected one for each of the outputs classes, box, got classes, boxes',
    ],
    [
      model.fit(target({ classes, box: { values: box.values.subarray(0, SIZE), shape: [1] } }), {
        engine,
        loss,
      }),
      "fit: dataset.targets.box: expected values of the output's shape, [2], got [1]",
    ],
    [
      model.fit(data, { engine, loss, classWeight: [1, 1, 1, 1] }),
      'fit: classWeight: expected none where outputs have targets of their own, got weights (sampleWeight counts samples for all outputs, lossWeights outputs)',
    ],
    [
      model.trainOnBatch({ inputs: images.inputs, targets: { classes: classes.values } }, { engine, loss }),
      "trainOnBatch: dataset.targets: expected numbers of the output's shape, [2], for meanSquaredError, got class indices",
    ],
  ];
  for (const [attempt, message] of cases) await assert.rejects(attempt, { message });
});

test('a label outside its classes, and a loss that is not finite, name their output', async () => {
  const model = detector();
  const { read } = data;
  const wrong = {
    ...data,
    read: async (...[indices, into]: Parameters<typeof read>) => {
      await read(indices, into);
      into.targets.classes![2] = CLASSES;
    },
  };
  await assert.rejects(model.fit(wrong, { engine, loss, shuffle: false }), {
    name: 'DataError',
    message: /^dataset, target classes: label of sample 2: expected a class index below 4, got 4/,
  });
  const far = { ...box, values: box.values.with(7, Number.POSITIVE_INFINITY) };
  const infinite = namedDataset({ inputs: { pixels }, targets: { classes, box: far } });
  await assert.rejects(model.fit(infinite, { engine, loss }), {
    name: 'NonFiniteLossError',
    message: /in the loss of output box|in the gradient of the loss/,
  });
});
