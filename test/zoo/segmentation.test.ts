import assert from 'node:assert/strict';
import test from 'node:test';
import { bilinearWeights, conv2dTranspose, fcn8s, functional, sequential } from '../../src/index.ts';
import { outputsOf } from './tables.ts';

test('FCN-8s has the paper’s 134 million parameters and an output for every pixel', () => {
  const model = functional(fcn8s());
  // VGG16's convolutions, fc6 and fc7, three scores, three transposed convolutions without a bias.
  const scores = (4096 + 512 + 256) * 21 + 3 * 21;
  const upscores = (2 * 4 * 4 + 16 * 16) * 21 * 21;
  assert.equal(model.parameterCount, 14_714_688 + 102_764_544 + 16_781_312 + scores + upscores);
  assert.equal(model.parameterCount, 134_489_759);
  assert.deepEqual(model.outputShape, [512, 512, 21]);
  assert.deepEqual(outputsOf(model.graph, /^(score|upscore|fuse|score_pool)/), [
    ...['16x16x21', '32x32x21', '32x32x21', '32x32x21'],
    ...['64x64x21', '64x64x21', '64x64x21', '512x512x21'],
  ]);
});

test('a narrow FCN gives every pixel of an oblong image shares of 1', async () => {
  await using model = functional(fcn8s({ classes: 3, inputShape: [64, 32, 3], filters: 4, units: 8 }));
  const { shape, data } = await model.predict(new Float32Array(64 * 32 * 3).fill(0.5), { threads: 1 });
  assert.deepEqual(shape, [1, 64, 32, 3]);
  for (let at = 0; at < data.length; at += 3) {
    assert.ok(Math.abs(data[at]! + data[at + 1]! + data[at + 2]! - 1) < 1e-6);
  }
});

test('bilinear weights enlarge each class by linear interpolation and leave the others alone', async () => {
  const up = { kernelSize: 4, strides: 2, padding: 'same', useBias: false } as const;
  await using model = sequential({ inputShape: [3, 3, 2] }, [
    conv2dTranspose({ name: 'up', filters: 2, ...up }),
  ]);
  model.setWeights({ 'up/weight': bilinearWeights(2, 2) });
  const image = new Float32Array(18);
  for (let pixel = 0; pixel < 9; pixel++) image[2 * pixel] = Math.floor(pixel / 3) + 10 * (pixel % 3);
  const { data } = await model.predict(image, { threads: 1 });
  // Inside, output pixel i lies at (i + 1/2)/2 - 1/2 of the input.
  for (let y = 1; y < 5; y++) {
    for (let x = 1; x < 5; x++) {
      assert.equal(data[2 * (6 * y + x)], y / 2 - 0.25 + 10 * (x / 2 - 0.25));
      assert.equal(data[2 * (6 * y + x) + 1], 0);
    }
  }
});
