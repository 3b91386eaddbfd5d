import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  conv2d,
  defineLayer,
  dense,
  flatten,
  functional,
  globalAveragePooling2d,
  input,
  type Model,
  maxPooling2d,
  type SymbolicTensor,
  weightsSha256,
} from '../../src/index.ts';
import { CLASSES, IMAGE, smallDataset, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const data = smallDataset(20);
const engine = testEngine({ threads: 2 });
const models: Model[] = [];
after(async () => {
  for (const model of models) await model.close();
});

/** A body with a head at its end and one in its middle, an auxiliary classifier; which of them are outputs? */
function headed(
  choose: (main: SymbolicTensor, side: SymbolicTensor) => Record<string, SymbolicTensor>,
): Model {
  const image = input({ shape: IMAGE });
  const conv = (name: string) =>
    conv2d({ name, filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' });
  const middle = conv('low')(image);
  const top = conv('high')(maxPooling2d()(middle));
  const main = dense({ name: 'mainHead', units: CLASSES, activation: 'softmax' })(flatten()(top));
  const pooled = globalAveragePooling2d()(middle);
  const side = dense({ name: 'sideHead', units: CLASSES, activation: 'softmax' })(pooled);
  const model = functional({ inputs: image, outputs: choose(main, side), seed: 6 });
  models.push(model);
  return model;
}

const both = () => headed((main, side) => ({ main, side }));
const batch = {
  inputs: Float32Array.from({ length: 4 * 192 }, (_, i) => ((i * 37) % 101) / 101),
  targets: Int32Array.from([0, 3, 1, 2]),
};

test('two outputs with two losses: loss and gradients are the weighted sums of each alone', async () => {
  const weights = { main: 1, side: 0.5 };
  const { loss, gradients } = await both().gradientsOnBatch(batch, { engine, lossWeights: weights });
  const main = await headed((only) => ({ main: only })).gradientsOnBatch(batch, { engine });
  const side = await headed((_, only) => ({ side: only })).gradientsOnBatch(batch, { engine });
  assert.ok(Math.abs(loss - (main.loss + 0.5 * side.loss)) < 1e-12);
  // 0.5 scales exactly, so a head's own gradients are equal to the bit.
  for (const name of ['mainHead/weight', 'mainHead/bias', 'high/weight']) {
    assertSameBits(gradients[name]!.data, main.gradients[name]!.data, name);
  }
  assertSameBits(
    gradients['sideHead/weight']!.data,
    side.gradients['sideHead/weight']!.data.map((value) => 0.5 * value),
    'sideHead/weight',
  );
  gradients['low/weight']!.data.forEach((value, i) => {
    const [a, b] = [main.gradients['low/weight']!.data[i]!, 0.5 * side.gradients['low/weight']!.data[i]!];
    assert.ok(Math.abs(value - (a + b)) <= 1e-5 * (Math.abs(a) + Math.abs(b)) + 1e-7, `low/weight[${i}]`);
  });
});

test('a weight of 0 leaves a head as it is; the weights are part of the program', async () => {
  const model = both();
  const before = model.getWeights();
  await model.fit(data, { engine, batchSize: 5, lossWeights: { side: 0 }, optimizer: 'sgd' });
  const middle = model.getWeights();
  assert.deepEqual(middle['sideHead/weight'], before['sideHead/weight']);
  assert.notDeepEqual(middle['mainHead/weight'], before['mainHead/weight']);
  await model.fit(data, { engine, batchSize: 5, optimizer: 'sgd' });
  assert.notDeepEqual(model.getWeights()['sideHead/weight'], before['sideHead/weight']);
});

test('training two outputs gives the same bits on 1 and 3 workers and in plain TypeScript', async () => {
  const hashes = new Set<string>();
  const runs = [
    { threads: 1, engine: 'simd' },
    { threads: 3, engine: 'simd' },
    { threads: 2, engine: 'scalar' },
  ] as const;
  for (const where of runs) {
    const model = both();
    await model.fit(data, { ...where, epochs: 2, batchSize: 8, lossWeights: { side: 0.3 } });
    hashes.add(weightsSha256(model));
    await model.close();
  }
  assert.equal(hashes.size, 1);
});

test('one loss twice on one tensor is added up', async () => {
  const image = input({ shape: IMAGE });
  const logits = dense({ name: 'logits', units: CLASSES })(flatten()(image));
  const once = functional({ inputs: image, outputs: { a: logits }, seed: 2 });
  const top = dense({ name: 'top', units: CLASSES })(logits);
  const twice = functional({ inputs: image, outputs: { a: logits, b: top }, seed: 2 });
  models.push(once, twice);
  const weight = { a: 1, b: 0 };
  const alone = await once.gradientsOnBatch(batch, { engine });
  const beside = await twice.gradientsOnBatch(batch, { engine, lossWeights: weight });
  assertSameBits(beside.gradients['logits/weight']!.data, alone.gradients['logits/weight']!.data, 'logits');
});

test('predict and evaluate are the first output’s, predictAll has all by name', async () => {
  const model = both();
  const all = await model.predictAll(data, { engine, batchSize: 7 });
  assert.deepEqual(Object.keys(all), ['main', 'side']);
  assert.deepEqual(await model.predict(data, { engine }), all.main);
  const { mainHead, sideHead } = await model.activations(data, ['mainHead', 'sideHead'], { engine });
  assert.deepEqual([mainHead, sideHead], [all.main, all.side]);
  const only = headed((main) => ({ main }));
  assert.deepEqual(await model.evaluate(data, { engine }), await only.evaluate(data, { engine }));
});

test('predict and evaluate compute nothing that only further outputs need', async () => {
  let passes = 0;
  const watched = defineLayer<Record<string, never>, Record<string, never>>({
    type: 'watched',
    resolve: () => ({}),
    outputShape: (_config, [shape]) => shape!,
    forward({ inputs: [from], output, call }) {
      passes++;
      const spec = { kind: 'copyView', input: from!.view, output: output.view, accumulate: false };
      call(spec, [from!.origin, output.origin, 'count']);
    },
    examples: [],
  });
  const model = headed((main, side) => ({ main, side: watched()(side) }));
  const prediction = await model.predict(data, { engine });
  await model.evaluate(data, { engine });
  assert.equal(passes, 0);
  const all = await model.predictAll(data, { engine });
  assert.equal(passes, 1);
  assert.deepEqual(all.main, prediction);
});

test('weights of outputs that are not there, or are no weights, are refused', async () => {
  const model = both();
  const wrong: Record<string, number>[] = [{ other: 1 }, { side: -1 }, { side: Number.NaN }];
  for (const lossWeights of wrong) {
    await assert.rejects(model.fit(data, { engine, lossWeights }), {
      name: 'ConfigError',
      message:
        /^fit: lossWeights\.(other|side): expected a finite weight from 0 on for one of main, side, got/,
    });
  }
});

test('outputs of another number of classes than the data’s are refused', async () => {
  const image = input({ shape: IMAGE });
  const flat = flatten()(image);
  const outputs = [dense({ units: CLASSES })(flat), dense({ units: 3 })(flat)];
  const model = functional({ inputs: image, outputs });
  models.push(model);
  await assert.rejects(model.fit(data, { engine }), /dataset\.targets: expected 3 classes/);
});
