import assert from 'node:assert/strict';
import test from 'node:test';
import { describeNetwork } from '../../../bench/peers/network-description.ts';
import { ConfigError } from '../../../src/errors.ts';
import {
  activation,
  batchNormalization,
  conv2d,
  dense,
  flatten,
  type Model,
  maxPooling2d,
  permute,
  sequential,
} from '../../../src/index.ts';

function describe(model: Model, weights: Record<string, readonly number[]> = {}) {
  model.setWeights(weights);
  return describeNetwork(model);
}

test('convolution weights turn from [kh, kw, C, K] to [K, C, kh, kw], with padding as top, left, bottom, right', async () => {
  const padding = { top: 1, right: 2, bottom: 3, left: 4 };
  await using model = sequential({ inputShape: [5, 5, 2] }, [
    conv2d({ name: 'c', filters: 3, kernelSize: [1, 2], padding, useBias: false, activation: 'relu' }),
  ]);
  const [outputs, inputs, taps] = [3, 2, 2];
  // An element says where it lies: tap, channel, filter.
  const weight = Array.from({ length: taps * inputs * outputs }, (_, i) => {
    const [tap, c, k] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3];
    return 100 * k + 10 * c + tap;
  });
  const { steps, parameters, inputShape } = describe(model, { 'c/weight': weight });
  assert.deepEqual(inputShape, [2, 5, 5]);
  assert.deepEqual(parameters[0]!.shape, [3, 2, 1, 2]);
  assert.deepEqual([...parameters[0]!.data], [0, 1, 10, 11, 100, 101, 110, 111, 200, 201, 210, 211]);
  assert.deepEqual(
    steps.map(({ op }) => op),
    ['conv', 'relu'],
  );
  assert.deepEqual(steps[0]!.pads, [1, 4, 3, 2]);
  assert.deepEqual(steps[1]!.inputs, [steps[0]!.output]);
});

test('dense weights behind a flatten have their inputs in the order of planes, those behind others as they are', async () => {
  await using model = sequential({ inputShape: [1, 2, 2] }, [
    flatten(),
    dense({ name: 'a', units: 2, useBias: false }),
    dense({ name: 'b', units: 1 }),
  ]);
  // Inputs: pixel 0 channel 0, pixel 0 channel 1, pixel 1 channel 0, pixel 1 channel 1.
  const { parameters } = describe(model, { 'a/weight': [0, 10, 1, 11, 2, 12, 3, 13], 'b/weight': [5, 6] });
  const found = parameters.map(({ name, shape, data }) => [name, shape, [...data]]);
  assert.deepEqual(found, [
    ['a/weight', [2, 4], [0, 2, 1, 3, 10, 12, 11, 13]],
    ['b/weight', [1, 2], [5, 6]],
    ['b/bias', [1], [0]],
  ]);
});

test('normalisations, poolings and activations have what other systems ask for', async () => {
  await using model = sequential({ inputShape: [5, 5, 2] }, [
    batchNormalization({ epsilon: 1e-5, momentum: 0.9 }),
    maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    activation({ function: 'relu' }),
  ]);
  const { steps } = describe(model);
  assert.deepEqual(
    steps.map(({ op, epsilon, momentum, kernel, strides, pads }) => ({
      op,
      ...(epsilon && { epsilon, momentum }),
      ...(kernel && { kernel, strides, pads }),
    })),
    [
      { op: 'batchNorm', epsilon: 1e-5, momentum: 0.9 },
      { op: 'maxPool', kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
      { op: 'relu' },
    ],
  );
});

test('a layer that is not known is refused by its type', async () => {
  await using model = sequential({ inputShape: [2, 3] }, [permute({ dims: [2, 1] })]);
  assert.throws(
    () => describeNetwork(model),
    (error) => error instanceof ConfigError && /permute/.test(error.message),
  );
});
