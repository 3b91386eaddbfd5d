/** Losses for some of the outputs: the others, and what leads to them alone, are as if they were not there. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  adam,
  type BatchInput,
  batchNormalization,
  conv2d,
  dense,
  flatten,
  functional,
  input,
  l2,
  type Model,
  namedDataset,
  type SymbolicTensor,
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
const kept = (model: Model): Model => {
  models.push(model);
  return model;
};

const SIZE = 14;
const images = smallImages(SIZE);
const next = uniforms(8);
const pixels = { values: images.inputs, shape: IMAGE, normalization: { kind: 'scale' } as const };
const classes = { values: images.targets, classes: CLASSES };
const box = { values: Float32Array.from({ length: SIZE * 2 }, next), shape: [2] };
const data = namedDataset({ inputs: { pixels }, targets: { box, classes } });
const onlyClasses = namedDataset({ inputs: { pixels }, targets: { classes } });
const loss = { classes: 'categoricalCrossentropy' } as const;

type Choice = (kinds: SymbolicTensor, place: SymbolicTensor) => Record<string, SymbolicTensor>;

/** Two heads on one body; that of places has running statistics and a penalty of its own. */
function detector(choose: Choice = (a, b) => ({ classes: a, box: b })): Model {
  const image = input({ shape: IMAGE, name: 'pixels' });
  const body = conv2d({ name: 'body', filters: 4, kernelSize: 3, kernelRegularizer: l2(0.01) });
  const features = flatten()(batchNormalization({ name: 'bodyNorm' })(body(image)));
  const kinds = dense({ name: 'kinds', units: CLASSES, activation: 'softmax' })(features);
  const place = dense({ name: 'place', units: 2, kernelRegularizer: l2(0.1) })(
    batchNormalization({ name: 'placeNorm' })(features),
  );
  return kept(functional({ inputs: image, outputs: choose(kinds, place), seed: 3 }));
}
const classifier = () => detector((a) => ({ classes: a }));

/** Bits of the parameters of both; those that the part does not have are as they were made. */
function assertTrainedAs(whole: Model, part: Model): void {
  const [all, own, start] = [whole.getWeights(), part.getWeights(), detector().getWeights()];
  for (const [name, { data: values }] of Object.entries(all)) {
    assertSameBits(values, (own[name] ?? start[name])!.data, name);
  }
  assert.notDeepEqual(own['kinds/weight'], start['kinds/weight']);
}

const figures = (epochs: readonly object[]) =>
  epochs.map((epoch) => ({ ...epoch, seconds: 0, imagesPerSecond: 0 }));

test('an output without a loss is left untrained: bits and figures are those of the model without it', async () => {
  const options = { epochs: 2, batchSize: 5, metrics: ['top2Accuracy'] } as const;
  const part = classifier();
  const alone = await part.fit(onlyClasses, { ...options, engine, validation: onlyClasses });
  for (const [where, dataset] of [
    [{ threads: 1 }, data],
    [{ threads: 3 }, onlyClasses],
    [{ threads: 2, engine: 'scalar' }, data],
  ] as const) {
    const whole = detector();
    const { epochs } = await whole.fit(dataset, { ...options, ...where, loss, validation: data });
    assertTrainedAs(whole, part);
    assert.deepEqual(figures(epochs), figures(alone.epochs));
    const { loss: sum, accuracy, metrics } = await whole.evaluate(data, { ...options, loss, batchSize: 4 });
    assert.deepEqual([sum, accuracy], [epochs.at(-1)!.valLoss, epochs.at(-1)!.valAccuracy]);
    assert.deepEqual(metrics, epochs.at(-1)!.valMetrics);
    await whole.close();
  }
});

test('its parameters have no gradients, and a loss of null is none', async () => {
  const inputs = { pixels: images.inputs };
  const batches: BatchInput['targets'][] = [
    classes.values,
    { classes: classes.values },
    { classes: classes.values, box: box.values },
  ];
  const own = await classifier().gradientsOnBatch({ inputs, targets: classes.values }, { engine });
  for (const targets of batches) {
    for (const chosen of [loss, { ...loss, box: null }]) {
      const found = await detector().gradientsOnBatch({ inputs, targets }, { engine, loss: chosen });
      assert.deepEqual(found, own);
    }
  }
  const places = await detector().gradientsOnBatch(
    { inputs, targets: box.values },
    { engine, loss: { box: 'meanSquaredError' } },
  );
  assert.deepEqual(
    Object.keys(places.gradients).filter((name) => name.startsWith('kinds')),
    [],
  );
  assert.ok('place/weight' in places.gradients);
});

test('of three outputs two are trained, with weights; figures are told of these two', async () => {
  const choose: Choice = (a, b) => ({ side: dense({ name: 'side', units: 3 })(a), classes: a, box: b });
  const chosen = { ...loss, box: 'meanSquaredError' } as const;
  const options = { engine, loss: chosen, lossWeights: { box: 0.5 }, epochs: 1, batchSize: 6 };
  const [three, two] = [detector(choose), detector()];
  const told: object[] = [];
  const onStep = ({ gradientNorms }: { gradientNorms?: object }) => void told.push(gradientNorms!);
  const run = await three.fit(data, { ...options, gradientNorms: true, onStep });
  const alone = await two.fit(data, options);
  assert.deepEqual(figures(run.epochs), figures(alone.epochs));
  assert.deepEqual(Object.keys(run.epochs[0]!.outputs!), ['classes', 'box']);
  const { 'side/weight': side, 'side/bias': bias, ...rest } = three.getWeights();
  assert.deepEqual(rest, two.getWeights());
  assert.deepEqual(side, detector(choose).getWeights()['side/weight']);
  assert.ok(bias!.data.every((value) => value === 0));
  for (const norms of told) assert.ok('place' in norms && !('side' in norms));
});

test('moving averages and checkpoints go with the outputs that are trained', async () => {
  const optimizer = () => adam({ useEma: true, emaMomentum: 0.5, weightDecay: 0.01, globalClipNorm: 1 });
  const options = { engine, loss, batchSize: 4 };
  const part = classifier();
  await part.fit(onlyClasses, { engine, batchSize: 4, epochs: 2, optimizer: optimizer() });
  const whole = detector();
  await whole.fit(data, { ...options, epochs: 2, optimizer: optimizer() });
  assertTrainedAs(whole, part);
  // What is set between two runs is not taken back by an average that nothing has moved.
  const set = Float32Array.of(5, 7);
  whole.setWeights({ 'place/bias': set });
  await whole.fit(data, { ...options, optimizer: optimizer() });
  assert.deepEqual(whole.getWeights()['place/bias']!.data, set);
  const folder = path.join(temporaryFolder(), 'checkpoints');
  const control = new AbortController();
  let steps = 0;
  const onStep = () => {
    steps += 1;
    if (steps === 5) control.abort();
  };
  const resumable = { ...options, epochs: 2, checkpoint: { folder } };
  await detector().fit(data, { ...resumable, optimizer: optimizer(), signal: control.signal, onStep });
  const again = detector();
  const checkpoint = { folder, resume: true };
  await again.fit(data, { ...resumable, optimizer: optimizer(), checkpoint });
  assertTrainedAs(again, part);
});

test('inputs and first calls of shared layers that only the others need may stay', async () => {
  const make = (both: boolean): Model => {
    const image = input({ shape: [4], name: 'image' });
    const extra = input({ shape: [4], name: 'extra' });
    const shared = dense({ name: 'shared', units: 3, activation: 'tanh' });
    const side = dense({ name: 'aside', units: 2 })(shared(extra));
    const main = dense({ name: 'top', units: 2 })(shared(image));
    const inputs = both ? [image, extra] : image;
    return kept(functional({ inputs, outputs: both ? { side, main } : { main }, seed: 4 }));
  };
  const values = Float32Array.from({ length: SIZE * 4 }, next);
  const main = { values: Float32Array.from({ length: SIZE * 2 }, next), shape: [2] };
  const image = { values, shape: [4] };
  const few = namedDataset({ inputs: { image }, targets: { main } });
  const many = namedDataset({ inputs: { image, extra: image }, targets: { main } });
  const [whole, part] = [make(true), make(false)];
  const options = { engine, loss: { main: 'meanSquaredError' }, epochs: 2, batchSize: 4 } as const;
  const { epochs } = await whole.fit(many, options);
  assert.deepEqual(figures(epochs), figures((await part.fit(few, options)).epochs));
  const trained = whole.getWeights();
  for (const [name, { data: own }] of Object.entries(part.getWeights())) {
    assertSameBits(trained[name]!.data, own, name);
  }
  const { 'shared:1': hidden } = await whole.activations(many, ['shared:1'], { engine });
  assert.deepEqual(hidden, (await part.activations(few, ['shared'], { engine })).shared);
});

test('training one output, then the other, is training the one and then the other', async () => {
  const model = detector();
  const options = { engine, batchSize: 7, optimizer: 'sgd' } as const;
  await model.fit(data, { ...options, loss });
  const first = model.getWeights();
  await model.fit(data, { ...options, loss: { box: 'meanSquaredError' } });
  const second = model.getWeights();
  assert.deepEqual(second['kinds/weight'], first['kinds/weight']);
  assert.notDeepEqual(second['place/weight'], first['place/weight']);
  const hash = weightsSha256(model);
  await model.evaluate(data, { engine, loss: { box: 'meanAbsoluteError' } });
  assert.equal(weightsSha256(model), hash);
});

test('losses and targets that belong to no trained output are refused, naming the outputs', async () => {
  const model = detector();
  const onlyBox = namedDataset({ inputs: { pixels }, targets: { box } });
  const cases: readonly (readonly [object, typeof data, string])[] = [
    [{ loss: {} }, data, 'loss: expected one, or several by the names of the outputs classes, box, got none'],
    [
      { loss: { classes: null, box: undefined } },
      data,
      'loss: expected one, or several by the names of the outputs classes, box, got none',
    ],
    [
      { loss: { ...loss, boxes: 'huber' } },
      data,
      'loss: expected one, or several by the names of the outputs classes, box, got classes, boxes ' +
        '(there is no output "boxes")',
    ],
    [{ loss }, onlyBox, 'dataset.targets: expected one for each of the outputs with losses classes, got box'],
    [
      { loss, lossWeights: { box: 1 } },
      data,
      'lossWeights.box: expected a finite weight from 0 on for one of classes, got 1',
    ],
    [
      { loss, metrics: { box: ['meanSquaredError'] } },
      data,
      'metrics: expected names of the outputs classes, got box',
    ],
  ];
  for (const [options, dataset, message] of cases) {
    const refused = { name: 'ConfigError', message: `fit: ${message}` };
    await assert.rejects(model.fit(dataset, { engine, ...options }), refused);
  }
});
