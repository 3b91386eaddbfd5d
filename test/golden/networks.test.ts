/**
 * Narrow VGG16, GoogLeNet, DenseNet-121 and ResNet-50 with the parameters of PyTorch's modules, taken over by name,
 * against PyTorch: the error against its float64 is at most 3 times that of its own float32, and the five largest
 * outputs are the same. The networks in their full size: `npm run against:torch`.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { largestFives } from '../../scripts/torch/compare.ts';
import {
  createEngine,
  denseNet121,
  functional,
  googLeNetBN,
  type Model,
  type ModelOptions,
  resNet50,
  sequential,
  torchModules,
  vgg16,
  weightsFromTorch,
} from '../../src/index.ts';
import { drawValues, loadFixture } from '../helpers/fixture.ts';
import { relativeL2 } from '../helpers/tolerance.ts';
import { MOST_TIMES_TORCH } from './against-torch.ts';

const fixture = loadFixture('networks');
const { seed, images, networks } = fixture.json;
const engine = createEngine({ threads: 2 });
after(() => engine.close());

const inputShape = [64, 64, 3] as const;
const common = { inputShape, classes: 10, classifierActivation: 'linear' } as const;
const models: Readonly<Record<keyof typeof networks, (options: ModelOptions) => Model>> = {
  vgg16: (options) =>
    sequential(
      { inputShape, ...options },
      vgg16({ ...common, filters: networks.vgg16.width, units: networks.vgg16.units! }),
    ),
  googLeNetBN: (options) =>
    functional({
      ...googLeNetBN({ ...common, auxiliaryHeads: false, filters: networks.googLeNetBN.width }),
      ...options,
    }),
  denseNet121: (options) =>
    functional({ ...denseNet121({ ...common, growthRate: networks.denseNet121.width / 2 }), ...options }),
  resNet50: (options) =>
    functional({ ...resNet50({ ...common, filters: networks.resNet50.width }), ...options }),
};

/** The state_dict that the fixture describes. */
function stateOf(name: keyof typeof networks) {
  const entries = Object.entries(networks[name].state).map(([key, [stream, shape, scale, offset]]) => {
    const data = drawValues(seed + (stream >> 8), { stream: stream & 255, shape, scale });
    return [key, { shape, data: data.map((value) => offset + value) }] as const;
  });
  return new Map(entries);
}

for (const name of Object.keys(models) as (keyof typeof networks)[]) {
  for (const numerics of ['direct', 'accurate', 'fast'] as const) {
    test(`${name} with PyTorch's parameters and numerics '${numerics}' is as near to f64 as the rule asks`, async (t) => {
      await using model = models[name]({ numerics });
      model.setWeights(weightsFromTorch(model.graph, stateOf(name), torchModules[name]));
      const { data, shape } = await model.predict(drawValues(seed, images), { engine });
      assert.deepEqual(shape, [2, 10]);
      const truth = fixture.tensor(`f64/${name}`).data;
      const times = relativeL2(data, truth) / relativeL2(fixture.tensor(`f32/${name}`).data, truth);
      t.diagnostic(`${times.toFixed(2)} times PyTorch's error`);
      assert.ok(times <= MOST_TIMES_TORCH, `error is ${times} times PyTorch's`);
      assert.deepEqual(largestFives(data, 2), largestFives(truth, 2));
    });
  }
}
