import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import {
  activation,
  adam,
  add,
  batchNormalization,
  conv2d,
  dense,
  depthwiseConv2d,
  flatten,
  foldBatchNormalization,
  functional,
  globalAveragePooling2d,
  input,
  type Layer,
  load,
  type Model,
  type SymbolicTensor,
  separableConv2d,
  sequential,
  weightsSha256,
} from '../../src/index.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomNormals, uniforms } from '../helpers/arbitraries.ts';
import { CLASSES, IMAGE, smallDataset, testEngine } from '../helpers/conformance-data.ts';
import type { LayerProblem } from '../helpers/conformance-oracle.ts';
import { oracles } from '../helpers/conformance-oracles.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { multiply, rounded, subtract, add as sum } from '../helpers/running-error.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { UNIT_ROUNDOFF } from '../helpers/tolerance.ts';

const engine = testEngine({ threads: 2 });
const models: Model[] = [];
after(async () => {
  for (const model of models) await model.close();
});

function keep(model: Model): Model {
  models.push(model);
  return model;
}

/** Weights, and averages that no training made: positive variances, gammas of both signs. */
function randomize(model: Model, seed: number): void {
  const weights = Object.entries(model.getWeights()).map(([name, { data }], i) => {
    const values = randomNormals(seed + i, data.length);
    return [name, name.endsWith('/movingVariance') ? values.map((x) => 0.01 + x * x) : values] as const;
  });
  model.setWeights(Object.fromEntries(weights));
}

function names(model: Model): string[] {
  return model.graph.nodes.map(({ name }) => name);
}

const CASES: Record<string, { layer: Layer; shape: Shape }> = {
  conv2d: { layer: conv2d({ filters: 5, kernelSize: 3, padding: 'same' }), shape: [5, 6, 3] },
  'conv2d without a bias': { layer: conv2d({ filters: 4, kernelSize: 1, useBias: false }), shape: [4, 4, 7] },
  'conv2d in groups, flipped': {
    layer: conv2d({ filters: 6, kernelSize: [2, 3], strides: 2, groups: 3, flip: true }),
    shape: [7, 8, 6],
  },
  dense: { layer: dense({ units: 9 }), shape: [11] },
  depthwiseConv2d: {
    layer: depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, useBias: false }),
    shape: [6, 5, 3],
  },
  separableConv2d: { layer: separableConv2d({ filters: 4, kernelSize: 2 }), shape: [5, 5, 3] },
};

/** The layer's own result in f64 with the bound of f32's error. */
function layerResult(model: Model, layer: Layer, shape: Shape, inputs: Float32Array, count: number) {
  const parameters = Object.entries(model.getWeights())
    .filter(([name]) => name.startsWith('layer/'))
    .map(([name, { data }]) => [name.slice('layer/'.length), data] as const);
  const problem: LayerProblem = {
    config: layer.config,
    inputShape: shape,
    inputShapes: [shape],
    outputShape: model.graph.nodes[0]!.outputShape,
    count,
    input: inputs,
    parameters: Object.fromEntries(parameters),
    name: 'layer',
    seed: 0,
    step: 0,
  };
  return oracles[layer.type]!.forward(problem);
}

for (const [title, { layer, shape }] of Object.entries(CASES)) {
  test(`${title}: folded and unfolded results are both within their bounds of the exact one`, async () => {
    let worst = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const options = { inputShape: shape, numerics: 'direct' } as const;
      const [center, scale] = [seed % 2 === 0, seed % 3 > 0];
      const named = { ...layer, name: 'layer' } as Layer;
      const model = keep(
        sequential(options, [named, batchNormalization({ center, scale, epsilon: 1e-3, name: 'norm' })]),
      );
      randomize(model, 100 * seed);
      const folded = keep(foldBatchNormalization(model));
      assert.deepEqual(names(folded), ['layer']);
      const inputs = randomNormals(seed, 2 * elementCount(shape));
      const [unfoldedFound, foldedFound] = [
        await model.predict(inputs, { engine }),
        await folded.predict(inputs, { engine }),
      ];
      const weights = model.getWeights();
      const of = (name: string, c: number) => weights[`norm/${name}`]?.data[c];
      const before = layerResult(model, layer, shape, inputs, 2);
      const foldedLayer = { ...layer, config: folded.graph.nodes[0]!.layer.config } as Layer;
      const after = layerResult(folded, foldedLayer, shape, inputs, 2);
      const magnitudes = weightMagnitudes(folded, foldedLayer, shape, inputs);
      const channels = model.outputShape.at(-1)!;
      before.values.forEach((x, i) => {
        const c = i % channels;
        const s = (of('gamma', c) ?? 1) / Math.sqrt(of('movingVariance', c)! + 1e-3);
        const exact = (x - of('movingMean', c)!) * s + (of('beta', c) ?? 0);
        // Layer, mean, scale, beta, each rounded.
        const centred = subtract(
          { value: x, error: before.bounds[i]! },
          { value: of('movingMean', c)!, error: 0 },
        );
        const scaled = multiply(centred, rounded(s));
        const unfolded =
          of('beta', c) === undefined ? scaled : sum(scaled, { value: of('beta', c)!, error: 0 });
        assert.ok(Math.abs(unfoldedFound.data[i]! - exact) <= unfolded.error);
        // Each weight, and the bias, is off by a rounding; then the layer's own bound.
        const bound = after.bounds[i]! + (UNIT_ROUNDOFF + 2 ** -48) * magnitudes[i]!;
        const error = Math.abs(foldedFound.data[i]! - exact);
        assert.ok(error <= bound, `${i}: ${foldedFound.data[i]}, exactly ${exact}, bound ${bound}`);
        worst = Math.max(worst, error / bound);
      });
    }
    assert.ok(worst > 0.01, `the bound is too loose to see anything: ${worst}`);
  });
}

/** The sum of |w| |x| and |b| for each output: how far roundings of the weights can move it, in units of them. */
function weightMagnitudes(model: Model, layer: Layer, shape: Shape, inputs: Float32Array): Float64Array {
  const absolute = Object.entries(model.getWeights()).map(
    ([name, { data }]) => [name, data.map(Math.abs)] as const,
  );
  const signed = model.getWeights();
  model.setWeights(Object.fromEntries(absolute));
  const { values } = layerResult(model, layer, shape, inputs.map(Math.abs), 2);
  model.setWeights(signed);
  return values;
}

/** A residual network: a stem, two blocks, one with a shared normalisation, and a head. */
function network(): Model {
  const image = input({ shape: IMAGE });
  const conv = (name: string, filters: number) =>
    conv2d({ name, filters, kernelSize: 3, padding: 'same', useBias: false });
  const relu = (name: string) => activation({ function: 'relu', name });
  const norm = (name: string) => batchNormalization({ name, momentum: 0.5 });
  const stem = relu('relu0')(norm('bn0')(conv('conv0', 6)(image)));
  const branch = norm('bn2')(conv('conv2', 6)(relu('relu1')(norm('bn1')(conv('conv1', 6)(stem)))));
  const block = relu('relu2')(add({ name: 'add' })([stem, branch]));
  const shared = norm('shared');
  const twice = (x: SymbolicTensor) => shared(conv2d({ filters: 6, kernelSize: 1 })(x));
  const joined = add({ name: 'join' })([twice(block), twice(stem)]);
  const seen = conv('seen', 5)(joined);
  const both = add({ name: 'both' })([seen, norm('bn3')(seen)]);
  const pooled = globalAveragePooling2d({ name: 'pool' })(both);
  const hidden = norm('bn4')(dense({ units: 7, activation: 'tanh', name: 'hidden' })(pooled));
  return keep(
    functional({
      inputs: image,
      outputs: dense({ units: CLASSES, activation: 'softmax', name: 'head' })(hidden),
      seed: 8,
    }),
  );
}

test('what is shared, read twice, or behind an activation stays; names of what stays are kept', () => {
  const model = network();
  assert.deepEqual(names(foldBatchNormalization(model)).sort(), [
    'add',
    'bn3',
    'bn4',
    'both',
    'conv0',
    'conv1',
    'conv2',
    'conv2d',
    'conv2d_1',
    'head',
    'head/activation',
    'hidden',
    'hidden/activation',
    'join',
    'pool',
    'relu2',
    'seen',
    'shared',
    'shared:1',
  ]);
});

test('a trained network answers as before, nearly; the same on all engines, and after save and load', async () => {
  const model = network();
  await model.fit(smallDataset(60), {
    engine,
    epochs: 3,
    batchSize: 20,
    optimizer: adam({ learningRate: 0.01 }),
  });
  const folded = keep(foldBatchNormalization(model));
  assert.deepEqual(folded.trainedOn, model.trainedOn);
  assert.equal(folded.trainedOn?.normalization?.kind, 'standardize');
  assert.ok(folded.parameterCount < model.parameterCount);
  const before = await model.predict(smallDataset(40, 2), { engine });
  const found = await folded.predict(smallDataset(40, 2), { engine });
  let largest = 0;
  before.data.forEach((p, i) => {
    largest = Math.max(largest, Math.abs(p - found.data[i]!));
  });
  assert.ok(largest > 0 && largest < 1e-4, `probabilities differ by ${largest}`);
  const scalar = await folded.predict(smallDataset(40, 2), {
    engine: testEngine({ threads: 1, engine: 'scalar' }),
  });
  assertSameBits(scalar.data, found.data);
  const file = `${temporaryFolder()}/folded.safetensors`;
  await folded.save(file);
  const again = keep(await load(file));
  assert.equal(weightsSha256(again), weightsSha256(folded));
  assertSameBits((await again.predict(smallDataset(40, 2), { engine })).data, found.data);
  assert.deepEqual(names(again), names(folded));
});

test('a ReLU that the layer takes over changes no bit', async () => {
  const layers = (name: string) => [
    conv2d({ filters: 4, kernelSize: 3, name }),
    batchNormalization({ name: 'norm' }),
    activation({ function: 'relu', name: 'relu' }),
    activation({ function: 'linear', name: 'last' }),
  ];
  const model = keep(sequential({ inputShape: IMAGE, seed: 2 }, layers('conv')));
  randomize(model, 900);
  const folded = keep(foldBatchNormalization(model));
  assert.deepEqual(names(folded), ['conv', 'last']);
  const apart = keep(
    sequential({ inputShape: IMAGE }, [
      conv2d({ filters: 4, kernelSize: 3, name: 'conv' }),
      activation({ function: 'relu', name: 'relu' }),
    ]),
  );
  apart.setWeights(folded.getWeights());
  const inputs = randomNormals(4, 3 * elementCount(IMAGE));
  const [one, other] = [await folded.predict(inputs, { engine }), await apart.predict(inputs, { engine })];
  assertSameBits(one.data, other.data);
});

test('a model without a normalisation to fold comes out as it is', async () => {
  const next = uniforms(3);
  const model = keep(
    sequential({ inputShape: IMAGE, seed: 2 }, [
      batchNormalization(),
      conv2d({ filters: 4, kernelSize: 3, activation: 'elu' }),
      flatten(),
      dense({ units: 3 }),
    ]),
  );
  const folded = keep(foldBatchNormalization(model));
  assert.deepEqual(names(folded), names(model));
  assert.equal(weightsSha256(folded), weightsSha256(model));
  const inputs = Float32Array.from({ length: 2 * elementCount(IMAGE) }, next);
  assertSameBits(
    (await folded.predict(inputs, { engine })).data,
    (await model.predict(inputs, { engine })).data,
  );
});
