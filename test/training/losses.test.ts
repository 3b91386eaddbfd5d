import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  adam,
  arrayDataset,
  binaryCrossentropy,
  ConfigError,
  categoricalCrossentropy,
  conv2d,
  type Dataset,
  dense,
  dice,
  type FitOptions,
  flatten,
  functional,
  huber,
  type Loss,
  type LossName,
  type Model,
  ShapeError,
  sequential,
  sgd,
  uNet,
} from '../../src/index.ts';
import { uniforms } from '../helpers/arbitraries.ts';
import { allWeights, smallDataset, smallModel, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engines = [
  testEngine({ threads: 1 }),
  testEngine({ threads: 3 }),
  testEngine({ threads: 2, engine: 'scalar' }),
];
const engine = engines[0]!;
const SIZE = 10;
const EDGE = 8;

/** Images of a bright square on noise, and its mask: integers, or a float a pixel and class. */
function squares(classes: number, kind: 'index' | 'dense'): Dataset {
  const random = uniforms(5);
  const inputs = new Float32Array(SIZE * EDGE * EDGE);
  const mask = new Int32Array(inputs.length);
  for (let n = 0; n < SIZE; n++) {
    const [top, left] = [Math.floor(random() * 5), Math.floor(random() * 5)];
    for (let i = 0; i < EDGE * EDGE; i++) {
      const inside = Math.floor(i / EDGE) - top;
      const across = (i % EDGE) - left;
      mask[n * EDGE * EDGE + i] = inside >= 0 && inside < 4 && across >= 0 && across < 4 ? 1 : 0;
    }
  }
  mask.forEach((inside, i) => {
    inputs[i] = inside + 0.3 * random();
  });
  const image = { inputs, inputShape: [EDGE, EDGE, 1] };
  if (kind === 'index')
    return arrayDataset({ ...image, targets: mask, targetShape: [EDGE, EDGE], classes: 2 });
  const targets = new Float32Array(mask.length * classes);
  mask.forEach((inside, i) => {
    if (classes === 1) targets[i] = inside;
    else targets[i * classes + inside] = 1;
  });
  return arrayDataset({ ...image, targets, targetShape: [EDGE, EDGE, classes] });
}

const segmenter = (): Model =>
  functional({ ...uNet({ inputShape: [EDGE, EDGE, 1], classes: 2, filters: 4, levels: 2 }), seed: 3 });
const painter = (activation: 'sigmoid' | 'linear', filters = 1): Model =>
  sequential({ inputShape: [EDGE, EDGE, 1], seed: 3 }, [
    conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }),
    conv2d({ filters, kernelSize: 3, padding: 'same', activation }),
  ]);
const TRAINING: FitOptions = { optimizer: adam({ learningRate: 0.02 }), epochs: 8, batchSize: 4 };

const CASES: Record<string, { model: () => Model; data: Dataset; loss: LossName | Loss }> = {
  'a U-Net on integer masks': {
    model: segmenter,
    data: squares(2, 'index'),
    loss: 'sparseCategoricalCrossentropy',
  },
  'a U-Net on dense masks, smoothed': {
    model: segmenter,
    data: squares(2, 'dense'),
    loss: categoricalCrossentropy({ labelSmoothing: 0.1 }),
  },
  'Dice on integer masks': { model: segmenter, data: squares(2, 'index'), loss: 'dice' },
  'Dice on one channel': {
    model: () => painter('sigmoid'),
    data: squares(1, 'dense'),
    loss: dice({ smooth: 1 }),
  },
  'yes and no by pixel, from integers': {
    model: () => painter('sigmoid'),
    data: squares(1, 'index'),
    loss: 'binaryCrossentropy',
  },
  'mean squared error of maps': {
    model: () => painter('linear', 2),
    data: squares(2, 'dense'),
    loss: 'meanSquaredError',
  },
  'mean absolute error of maps': {
    model: () => painter('linear'),
    data: squares(1, 'dense'),
    loss: 'meanAbsoluteError',
  },
  'Huber’s loss of maps': {
    model: () => painter('linear'),
    data: squares(1, 'dense'),
    loss: huber({ delta: 0.2 }),
  },
};

for (const [name, { model: make, data, loss }] of Object.entries(CASES)) {
  test(`${name}: it learns, and its bits do not depend on workers`, async () => {
    const all = [];
    for (const each of engines) {
      await using model = make();
      const { epochs } = await model.fit(data, { ...TRAINING, loss, engine: each, validation: data });
      all.push({ epochs, weights: allWeights(model) });
      const evaluated = await model.evaluate(data, { loss, engine: each, batchSize: 3 });
      const { valLoss, valAccuracy, valMeanAbsoluteError } = epochs.at(-1)!;
      assert.equal(evaluated.loss, valLoss);
      assert.deepEqual(
        [evaluated.accuracy, evaluated.meanAbsoluteError],
        [valAccuracy, valMeanAbsoluteError],
      );
    }
    const [first, last] = [all[0]!.epochs[0]!, all[0]!.epochs.at(-1)!];
    assert.ok(last.valLoss! < 0.8 * first.loss, `${first.loss} to ${last.valLoss}`);
    if (last.meanAbsoluteError === undefined) assert.ok(last.valAccuracy! > 0.8, `${last.valAccuracy}`);
    else assert.ok(last.meanAbsoluteError < first.meanAbsoluteError! && Number.isNaN(last.accuracy));
    for (const { epochs, weights } of all.slice(1)) {
      assert.deepEqual(
        epochs.map((epoch) => epoch.loss),
        all[0]!.epochs.map((epoch) => epoch.loss),
      );
      assertSameBits(weights, all[0]!.weights);
    }
  });
}

/** A model's gradients for a batch. */
async function gradientsOf(model: Model, data: Dataset, options: FitOptions = {}) {
  const [inputs, count] = [new Float32Array(data.size * EDGE * EDGE), data.size];
  const length = data.targets.kind === 'index' ? EDGE * EDGE : EDGE * EDGE * data.targets.shape[2]!;
  const targets =
    data.targets.kind === 'index' ? new Int32Array(count * length) : new Float32Array(count * length);
  await data.read(
    Uint32Array.from({ length: count }, (_, i) => i),
    { inputs, targets },
  );
  const { loss, classWeight } = options;
  const { gradients } = await model.gradientsOnBatch(
    { inputs, targets },
    { engine, ...(loss && { loss }), ...(classWeight && { classWeight }) },
  );
  return gradients;
}

test('weights of classes are those of the pixels: gradients are sums over the classes’', async () => {
  await using model = segmenter();
  const data = squares(2, 'index');
  const of = (classWeight: number[]) => gradientsOf(model, data, { classWeight });
  const [inside, outside, both, plain] = [
    await of([0, 1]),
    await of([1, 0]),
    await of([1, 3]),
    await of([1, 1]),
  ];
  const unweighted = await gradientsOf(model, data);
  const largest = Math.max(...Object.values(plain).flatMap(({ data: g }) => [...g].map(Math.abs)));
  for (const name of Object.keys(plain)) {
    assertSameBits(plain[name]!.data, unweighted[name]!.data);
    both[name]!.data.forEach((g, i) => {
      const expected = outside[name]!.data[i]! + 3 * inside[name]!.data[i]!;
      assert.ok(Math.abs(g - expected) < 1e-4 * largest, `${name}[${i}]: ${g}, ${expected}`);
    });
  }
});

test('probabilities cost what their logits cost, to the accuracy of f32', async () => {
  await using model = smallModel();
  const data = smallDataset(20);
  const logits = await model.evaluate(data, { engine });
  const { shape, data: outputs } = await model.predict(data, { engine });
  await using identity = sequential({ inputShape: [shape[1]!], seed: 1 }, [
    dense({ units: shape[1]!, useBias: false }),
  ]);
  const weight = new Float32Array(16);
  for (let i = 0; i < 4; i++) weight[5 * i] = 1;
  identity.setWeights({ 'dense/weight': weight });
  const labels = new Int32Array(20);
  await data.read(
    Uint32Array.from({ length: 20 }, (_, i) => i),
    { inputs: new Uint8Array(20 * 192), targets: labels },
  );
  const probabilities = arrayDataset({ inputs: outputs, inputShape: [4], targets: labels, classes: 4 });
  const given = await identity.evaluate(probabilities, {
    loss: categoricalCrossentropy({ fromLogits: false }),
    engine,
  });
  assert.ok(Math.abs(given.loss - logits.loss) < 1e-6, `${given.loss}, ${logits.loss}`);
  assert.equal(given.accuracy, logits.accuracy);
});

test('a run of numbers is resumed bit for bit, its errors included', async () => {
  const data = squares(1, 'dense');
  const run = async (more: FitOptions) => {
    await using model = painter('linear');
    const { epochs } = await model.fit(data, { ...TRAINING, epochs: 2, loss: 'huber', engine, ...more });
    const figures = epochs.map(({ loss, meanAbsoluteError, accuracy }) => [
      loss,
      meanAbsoluteError,
      accuracy,
    ]);
    return { figures, weights: [...allWeights(model)] };
  };
  const whole = await run({});
  for (const stop of [1, 4]) {
    const checkpoint = { folder: temporaryFolder() };
    const control = new AbortController();
    let steps = 0;
    const onStep = () => {
      steps += 1;
      if (steps === stop) control.abort();
    };
    await run({ checkpoint, signal: control.signal, onStep });
    assert.deepEqual(await run({ checkpoint: { ...checkpoint, resume: true } }), whole);
  }
});

test('targets that a loss does not take are refused with both shapes', async () => {
  const refused = async (model: Model, data: Dataset, loss: LossName, message: RegExp) => {
    await using each = model;
    await assert.rejects(each.fit(data, { loss, engine }), (error) => {
      assert.ok(error instanceof ShapeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  };
  const masks = squares(2, 'index');
  await refused(
    painter('linear'),
    masks,
    'meanSquaredError',
    /fit: dataset.targets: expected numbers of the output's shape, \[8, 8, 1\], for meanSquaredError, got class indices/,
  );
  await refused(
    painter('linear', 3),
    masks,
    'categoricalCrossentropy',
    /expected 3 classes, as many as the model has outputs, got 2/,
  );
  await refused(
    painter('linear', 3),
    squares(2, 'dense'),
    'huber',
    /expected values of the output's shape, \[8, 8, 3\], got \[8, 8, 2\]/,
  );
  await refused(smallModel(), masks, 'categoricalCrossentropy', /inputShape/);
  const vector = sequential({ inputShape: [8, 8, 1] }, [flatten(), dense({ units: 2 })]);
  await refused(
    vector,
    masks,
    'categoricalCrossentropy',
    /expected class indices, one a sample, for the output \[2\], got \[8, 8\]/,
  );
  await refused(
    painter('linear', 2),
    masks,
    'binaryCrossentropy',
    /expected values of the output's shape, \[8, 8, 2\], for 2 outputs of binaryCrossentropy, got 2/,
  );
});

test('options without sense are refused by name', async () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => error instanceof ConfigError && message.test(error.message));
  refused(() => huber({ delta: 0 }), /^huber: delta: expected a positive, finite number, got 0/);
  refused(() => dice({ smooth: -1 }), /^dice: smooth: expected a finite number from 0 on, got -1/);
  refused(
    () => categoricalCrossentropy({ labelSmoothing: 2 }),
    /^categoricalCrossentropy: labelSmoothing: expected a number from 0 to 1, got 2/,
  );
  refused(
    () => binaryCrossentropy({ fromLogits: 1 as unknown as boolean }),
    /^binaryCrossentropy: fromLogits: expected true or false, got 1/,
  );
  await using model = smallModel();
  await assert.rejects(model.fit(smallDataset(8), { loss: 'mse' as 'dice', optimizer: sgd(), engine }), {
    name: 'ConfigError',
    message: /fit: loss: expected one of categoricalCrossentropy, .*, dice, got "mse"/,
  });
});
