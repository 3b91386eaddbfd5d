import assert from 'node:assert/strict';
import path from 'node:path';
import test, { after } from 'node:test';
import { networks } from '../../scripts/networks/networks.ts';
import { networks as networksSoak } from '../../scripts/soak/networks.ts';
import { createEngine, load, type Model } from '../../src/index.ts';
import { summarize } from '../../src/model/summary.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { soakBriefly } from '../helpers/soak.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { narrow } from './narrow.ts';

const folder = temporaryFolder();
const one = createEngine({ threads: 1 });
const three = createEngine({ threads: 3 });
after(async () => {
  await one.close();
  await three.close();
});

const BATCH = 5;

function batchOf(model: Model) {
  const classes = model.outputShape.at(-1)!;
  const inputs = randomNormals(7, BATCH * elementCount(model.inputShape));
  return { inputs, targets: Int32Array.from({ length: BATCH }, (_, i) => i % classes) };
}

function assertSameWeights(actual: Model, expected: Model): void {
  const [found, wanted] = [actual.getWeights(), expected.getWeights()];
  assert.deepEqual(Object.keys(found), Object.keys(wanted));
  for (const [name, { data }] of Object.entries(wanted)) assertSameBits(found[name]!.data, data, name);
}

test('every network of the command lines has a narrow variant here, of the same layers', () => {
  assert.deepEqual(Object.keys(narrow), Object.keys(networks));
  for (const [name, make] of Object.entries(narrow)) {
    const layers = (model: Model) => model.graph.nodes.map(({ name: layer }) => layer);
    assert.deepEqual(layers(make({})), layers(networks[name]!({})), name);
  }
});

/** Of the kinds of layers and connections of another network, only more: nothing of them is run. */
const DEEPER = ['denseNet169', 'denseNet201', 'resNet34', 'vgg19'];

/** Trains both by a step, one on three workers, the other on one. */
async function trainBoth(model: Model, other: Model): Promise<void> {
  const batch = batchOf(model);
  const step = await model.trainOnBatch(batch, { engine: three });
  assert.deepEqual(await other.trainOnBatch(batch, { engine: one }), step);
}

for (const [name, make] of Object.entries(narrow)) {
  test(`${name}: a step on 1 and on 3 workers leaves the same bits, and the file brings them back`, async () => {
    await using model = make({ seed: 3 });
    await using other = make({ seed: 3 });
    const runs = !DEEPER.includes(name);
    // Segmentation networks have a class for every pixel, which is another kind of targets.
    if (runs && model.outputShape.length === 1) await trainBoth(model, other);
    assertSameWeights(other, model);
    const file = path.join(folder, `${name}.safetensors`);
    await model.save(file);
    await using again = await load(file);
    assertSameWeights(again, model);
    assert.equal(summarize(again.graph), summarize(model.graph));
    if (!runs) return;
    const { inputs } = batchOf(model);
    const expected = await model.predictAll(inputs, { engine: three });
    const found = await again.predictAll(inputs, { engine: three });
    assert.deepEqual(Object.keys(found), Object.keys(expected));
    for (const [output, { data }] of Object.entries(expected)) {
      assertSameBits(found[output]!.data, data, output);
      assert.ok(data.every(Number.isFinite), output);
    }
  });
}

test('networks in their full size come back from their files: the first of the soak `networks`', async (t) => {
  await soakBriefly(t, networksSoak, 2);
});
