/** A sample's prediction does not depend on what it shares a batch with, nor on its place in it. Bit for bit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { imageModel } from '../../scripts/bits/recipe.ts';
import * as faltung from '../../src/index.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { randomFrom } from '../helpers/twin.ts';

const { cifarNotebook, conv2d, globalAveragePooling2d, maxPooling2d, sequential } = faltung;

const ENGINES = {
  '3 workers': testEngine({ threads: 3 }),
  '128-bit code': testEngine({ threads: 2, wide: false }),
  scalar: testEngine({ threads: 2, engine: 'scalar' }),
};
const SAMPLES = 11;

const MODELS: Record<string, () => faltung.Model> = {
  'every kind of layer': () => imageModel(faltung),
  'the notebook’s network': () => sequential({ inputShape: [32, 32, 3], seed: 21 }, cifarNotebook()),
  vectors: () =>
    sequential({ inputShape: [40], seed: 3 }, [
      faltung.dense({ units: 37, activation: 'gelu' }),
      faltung.dense({ units: 5, activation: 'softmax' }),
    ]),
};

/** Floats [count, ...shape] of all magnitudes. */
function inputsFor(model: faltung.Model, count: number): { values: Float32Array; each: number } {
  const each = model.inputShape.reduce((product, size) => product * size, 1);
  const random = randomFrom(77);
  return { values: Float32Array.from({ length: count * each }, () => 4 * random() - 2), each };
}

for (const [name, make] of Object.entries(MODELS)) {
  describe(name, () => {
    for (const [label, engine] of Object.entries(ENGINES)) {
      // Seconds in plain TypeScript; other tests hold the two engines equal.
      if (label === 'scalar' && name.startsWith('the notebook')) continue;
      test(label, async () => {
        await using model = make();
        const { values, each } = inputsFor(model, SAMPLES);
        const sample = (i: number) => values.subarray(i * each, (i + 1) * each);
        const { shape, data: alone } = await model.predict(values, { engine, batchSize: 1 });
        const outputs = alone.length / SAMPLES;
        assert.deepEqual(shape, [SAMPLES, outputs]);
        assert.ok(new Set(alone).size > outputs, 'the samples differ');

        for (const batchSize of [2, 4, 5, SAMPLES, 128]) {
          const { data } = await model.predict(values, { engine, batchSize });
          assertSameBits(data, alone, `batches of ${batchSize}`);
        }

        const order = [7, 0, 10, 3, 3, 9, 1, 2, 8, 4, 6, 5, 0];
        const shuffled = new Float32Array(order.length * each);
        for (const [place, i] of order.entries()) shuffled.set(sample(i), place * each);
        const { data } = await model.predict(shuffled, { engine, batchSize: 6 });
        for (const [place, i] of order.entries()) {
          const found = data.subarray(place * outputs, (place + 1) * outputs);
          assertSameBits(found, alone.subarray(i * outputs, (i + 1) * outputs), `sample ${i} at ${place}`);
        }

        // Mates that poison whatever they touch.
        for (const poison of [Number.NaN, Infinity, 3e38]) {
          const among = values.slice();
          for (let i = 0; i < SAMPLES; i++) if (i !== 4) among.fill(poison, i * each, (i + 1) * each);
          const poisoned = await model.predict(among, { engine, batchSize: SAMPLES });
          const found = poisoned.data.subarray(4 * outputs, 5 * outputs);
          assertSameBits(found, alone.subarray(4 * outputs, 5 * outputs), `among ${poison}`);
        }
      });
    }
  });
}

test('a small image with many channels, cut by outputs where it comes alone, gives the same in a batch', async () => {
  await using model = sequential({ inputShape: [9, 7, 40], seed: 9 }, [
    // Last panels of 4 outputs, and of 14: neither a multiple of the 128 that Winograd's bands have at least.
    conv2d({ filters: 260, kernelSize: 3, padding: 'same', activation: 'relu' }),
    conv2d({ filters: 270, kernelSize: 1, useBias: false }),
    conv2d({ filters: 150, kernelSize: 3, padding: 'same', strides: 2, activation: 'elu' }),
    globalAveragePooling2d(),
  ]);
  const { values } = inputsFor(model, 3);
  const results = [];
  for (const engine of Object.values(ENGINES)) {
    for (const batchSize of [1, 3]) results.push((await model.predict(values, { engine, batchSize })).data);
  }
  for (const data of results) assertSameBits(data, results[0]!);
});

test('a large image, cut into bands where it comes alone, gives the same in a batch', async () => {
  await using model = sequential({ inputShape: [70, 61, 3], seed: 9 }, [
    conv2d({ filters: 24, kernelSize: 3, padding: 'same', activation: 'relu' }),
    conv2d({ filters: 24, kernelSize: 3, padding: 'same', activation: 'elu' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 16, kernelSize: 5, strides: 2 }),
    globalAveragePooling2d(),
  ]);
  const { values } = inputsFor(model, 5);
  const results = [];
  for (const engine of Object.values(ENGINES)) {
    for (const batchSize of [1, 2, 5])
      results.push((await model.predict(values, { engine, batchSize })).data);
  }
  for (const data of results) assertSameBits(data, results[0]!);
});
