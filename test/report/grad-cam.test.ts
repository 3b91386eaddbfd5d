import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  activation,
  add,
  batchNormalization,
  conv2d,
  dense,
  denseNetBC40,
  dropout,
  flatten,
  functional,
  gaussianNoise,
  globalAveragePooling2d,
  input,
  type Model,
  maxPooling2d,
  resNet20,
  sequential,
  spatialDropout2d,
  stochasticDepth,
} from '../../src/index.ts';
import { gradCam, overlay } from '../../src/report/index.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { randomFrom } from '../helpers/twin.ts';

const engine = testEngine({ threads: 1 });
const SHAPE = [6, 8, 3] as const;

function randomImage(): Float32Array {
  const random = randomFrom(5);
  return Float32Array.from({ length: 6 * 8 * 3 }, () => 2 * random() - 1);
}

/** Grad-CAM with the gradients of the logits given, from the definition, in f64. */
async function byDefinition(
  model: Model,
  image: Float32Array,
  layer: string,
  gradient: (i: number) => number,
) {
  const { shape, data } = (await model.activations(image, [layer], { engine }))[layer]!;
  const [, height, width, channels] = shape as [number, number, number, number];
  const positions = height * width;
  const weights = Array.from({ length: channels }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < positions; i++) sum += gradient(i * channels + k);
    return sum / positions;
  });
  const map = Array.from({ length: positions }, (_, i) =>
    Math.max(
      0,
      weights.reduce((sum, weight, k) => sum + weight * data[i * channels + k]!, 0),
    ),
  );
  const most = Math.max(...map);
  return map.map((value) => value / most);
}

/** f32 sums of a few hundred products of numbers about 1, and a difference of two gradients. */
const CLOSE = 1e-4;

function assertMap(actual: ArrayLike<number>, expected: readonly number[]) {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(actual[i]! - value) < CLOSE, `${i}: ${actual[i]} instead of ${value}`);
  });
}

describe('gradCam', () => {
  test('is the definition, where the logits are linear in the maps; what acts in training only is left out', async () => {
    await using model = sequential({ inputShape: SHAPE, seed: 4 }, [
      conv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'relu', name: 'maps' }),
      dropout({ rate: 0.5 }),
      spatialDropout2d({ rate: 0.5 }),
      gaussianNoise({ stddev: 9 }),
      activation({ function: 'elu' }),
      stochasticDepth({ rate: 0.5 }),
      flatten(),
      dense({ units: 3, activation: 'softmax', name: 'logits' }),
    ]);
    const image = randomImage();
    const weights = model.getWeights()['logits/weight']!.data;
    for (const target of [0, 2]) {
      const expected = await byDefinition(model, image, 'maps', (i) => weights[3 * i + target]!);
      const { data, height, width } = await gradCam(model, image, target, { engine });
      assert.deepEqual([height, width], [6, 8]);
      assertMap(data, expected);
    }
  });

  test('goes through what is not linear: the gradients are those of differences', async () => {
    await using model = sequential({ inputShape: SHAPE, seed: 4 }, [
      conv2d({ filters: 4, kernelSize: 3, name: 'maps' }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 6, activation: 'tanh', name: 'hidden' }),
      dense({ units: 3, activation: 'softmax', name: 'logits' }),
    ]);
    const image = randomImage();
    const { data: maps } = (await model.activations(image, ['maps'], { engine })).maps!;
    const { 'hidden/weight': w1, 'hidden/bias': b1, 'logits/weight': w2 } = model.getWeights();
    /** The logit of class 1 of maps [4, 6, 4], in f64. */
    const logit = (values: ArrayLike<number>) => {
      const pooled = Array.from({ length: 2 * 3 * 4 }, (_, i) => {
        const [k, x, y] = [i % 4, Math.floor(i / 4) % 3, Math.floor(i / 12)];
        const at = (dy: number, dx: number) => values[((2 * y + dy) * 6 + 2 * x + dx) * 4 + k]!;
        return Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
      });
      const hidden = Array.from({ length: 6 }, (_, j) =>
        Math.tanh(pooled.reduce((sum, value, i) => sum + value * w1!.data[6 * i + j]!, b1!.data[j]!)),
      );
      return hidden.reduce((sum, value, j) => sum + value * w2!.data[3 * j + 1]!, 0);
    };
    const step = 1e-5;
    const gradient = (i: number) => {
      const moved = (by: number) =>
        logit(Float64Array.from(maps, (value, j) => (i === j ? value + by : value)));
      return (moved(step) - moved(-step)) / (2 * step);
    };
    const expected = await byDefinition(model, image, 'maps', gradient);
    assertMap((await gradCam(model, image, 1, { engine, layer: 'maps' })).data, expected);
  });

  test('uses moving averages where there is batch normalisation, and follows branches', async () => {
    const image = input({ shape: SHAPE });
    const maps = conv2d({ filters: 4, kernelSize: 3, padding: 'same', name: 'maps' })(image);
    const [left, right] = [conv2d({ filters: 4, kernelSize: 1, name: 'left' })(maps), maps];
    const normal = batchNormalization({ name: 'normal' })(add()([left, right]));
    const logits = dense({ units: 3, activation: 'softmax', name: 'logits' })(
      globalAveragePooling2d()(activation({ function: 'linear' })(normal)),
    );
    await using model = functional({ inputs: image, outputs: logits, seed: 9 });
    model.setWeights({ 'normal/movingVariance': [1, 4, 9, 16], 'normal/movingMean': [1, 2, 3, 4] });
    const { 'logits/weight': w, 'left/weight': l } = model.getWeights();
    // d logit / d map k = sum over j of (l[k][j] + [j = k]) / sqrt(variance_j + 1e-3) * w[j] / positions.
    const gradient = (i: number) => {
      const k = i % 4;
      let sum = 0;
      for (let j = 0; j < 4; j++) {
        const passed = l!.data[4 * k + j]! + (j === k ? 1 : 0);
        sum += (passed / Math.sqrt([1, 4, 9, 16][j]! + 1e-3)) * w!.data[3 * j + 2]!;
      }
      return sum / 48;
    };
    const expected = await byDefinition(model, randomImage(), 'maps', gradient);
    assertMap((await gradCam(model, randomImage(), 2, { engine, layer: 'maps' })).data, expected);
    await assert.rejects(
      gradCam(model, randomImage(), 2, { engine, layer: 'left' }),
      /gradCam: layer: expected a layer through which all data flow, got "left", which "add" does not depend on alone/,
    );
  });

  test('follows a layer that is called twice', async () => {
    const image = input({ shape: SHAPE });
    const maps = conv2d({ filters: 4, kernelSize: 3, padding: 'same', name: 'maps' })(image);
    const shared = dense({ units: 4, name: 'shared' });
    const twice = shared(shared(globalAveragePooling2d()(maps)));
    const logits = dense({ units: 3, activation: 'softmax', name: 'logits' })(twice);
    await using model = functional({ inputs: image, outputs: logits, seed: 9 });
    const { 'logits/weight': w, 'shared/weight': s } = model.getWeights();
    const behind = (k: number, j: number) =>
      [0, 1, 2, 3].reduce((sum, i) => sum + s!.data[4 * k + i]! * s!.data[4 * i + j]!, 0);
    const gradient = (i: number) =>
      [0, 1, 2, 3].reduce((sum, j) => sum + (behind(i % 4, j) * w!.data[3 * j + 1]!) / 48, 0);
    const expected = await byDefinition(model, randomImage(), 'maps', gradient);
    assertMap((await gradCam(model, randomImage(), 1, { engine, layer: 'maps' })).data, expected);
  });

  test('takes the maps of the last convolution, or of where the branches around it have met', async () => {
    const common = { classes: 3, inputShape: [16, 16, 3] } as const;
    const image = Float32Array.from({ length: 16 * 16 * 3 }, (_, i) => ((i * 37) % 101) / 50 - 1);
    for (const [network, layer] of [
      [resNet20({ ...common, filters: 2 }), 'stage3_block3_out'],
      [denseNetBC40({ ...common, growthRate: 2 }), 'relu'],
    ] as const) {
      await using model = functional(network);
      const found = await gradCam(model, image, 1, { engine });
      assert.deepEqual(found, await gradCam(model, image, 1, { engine, layer }));
    }
    await using chain = sequential({ inputShape: SHAPE, seed: 4 }, [
      conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh', name: 'maps' }),
      maxPooling2d(),
      flatten(),
      dense({ units: 3, activation: 'softmax' }),
    ]);
    const found = await gradCam(chain, randomImage(), 1, { engine });
    assert.deepEqual(found, await gradCam(chain, randomImage(), 1, { engine, layer: 'maps' }));
  });

  test('refuses layers without maps, unknown ones, and several images', async () => {
    await using model = sequential({ inputShape: SHAPE, seed: 4 }, [
      conv2d({ filters: 2, kernelSize: 3, name: 'maps' }),
      flatten({ name: 'flat' }),
      dense({ units: 3, activation: 'softmax' }),
    ]);
    const image = randomImage();
    await assert.rejects(
      gradCam(model, image, 0, { engine, layer: 'flat' }),
      /feature maps \[H, W, C\], got \[1, 48\]/,
    );
    await assert.rejects(gradCam(model, image, 0, { engine, layer: 'nothing' }), /nothing/);
    const two = Float32Array.of(...image, ...image);
    await assert.rejects(gradCam(model, two, 0, { engine }), /expected one image.*got \[2, 4, 6, 2\]/);
  });
});

test('an overlay is grey where the map is 0 and coloured where it is 1', () => {
  const image = { width: 4, height: 2, data: new Uint8Array(24).fill(100) };
  const { data } = overlay(image, { height: 1, width: 2, data: Float32Array.of(0, 1) });
  assert.deepEqual([...data.subarray(0, 3)], [100, 100, 100]);
  // 0.65 of viridis' last colour, the rest grey.
  assert.deepEqual([...data.subarray(9, 12)], [199, 185, 59]);
});
