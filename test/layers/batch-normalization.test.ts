import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adam,
  add,
  concatenate,
  conv2d,
  dense,
  flatten,
  functional,
  globalAveragePooling2d,
  input,
  type Layer,
  type SymbolicTensor,
  sequential,
  sgd,
  weightsSha256,
} from '../../src/index.ts';
import { activation, batchNormalization } from '../../src/layers/index.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { CLASSES, IMAGE, smallDataset, smallImages, testEngine } from '../helpers/conformance-data.ts';
import { probePlan } from '../helpers/conformance-model.ts';
import type { LayerProblem } from '../helpers/conformance-oracle.ts';
import { oracles } from '../helpers/conformance-oracles.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import { UNIT_ROUNDOFF } from '../helpers/tolerance.ts';

test('options that make no sense are refused', () => {
  for (const momentum of [-0.1, 1.1, Number.NaN]) {
    assertRefusedOptions(batchNormalization, { momentum }, 'momentum');
  }
  for (const epsilon of [-1, Infinity]) assertRefusedOptions(batchNormalization, { epsilon }, 'epsilon');
  for (const ghostBatchSize of [0, 2.5]) {
    assertRefusedOptions(batchNormalization, { ghostBatchSize }, 'ghostBatchSize');
  }
  assertRefusedOptions(batchNormalization, { gammaInitializer: 'random' }, 'gammaInitializer');
  assert.throws(() => batchNormalization({ name: 'mine', momentum: 2 }), {
    message: 'batchNormalization "mine": momentum: expected a number from 0 to 1, got 2',
  });
});

interface Step {
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  readonly parameters: Record<string, Float32Array>;
  readonly count: number;
}

/** A training step of one layer: outputs, gradient of the inputs, gradients of the parameters. */
function train(layer: Layer, shape: Shape, { inputs, targets, parameters, count }: Step) {
  const { plan, outputs, gradInputs } = probePlan(layer, shape, { batchSize: count, shardSize: 2 });
  const loaded = loadPlan(plan, 'simd');
  const named = Object.entries(parameters).map(([name, values]) => [`${layer.type}/${name}`, values]);
  loaded.run({ inputs, targets, parameters: Object.fromEntries(named) }, { count });
  const length = count * elementCount(shape);
  return {
    outputs: loaded.read(outputs, length),
    gradInputs: loaded.read(gradInputs, length),
    gradients: loaded.gradients(),
  };
}

function drawStep(shape: Shape, count: number, seed: number): Step {
  const length = count * elementCount(shape);
  const channels = shape.at(-1)!;
  return {
    inputs: randomNormals(seed, length),
    targets: randomNormals(seed + 1, length),
    parameters: { gamma: randomNormals(seed + 2, channels), beta: randomNormals(seed + 3, channels) },
    count,
  };
}

test('22: a scaled input is an input with another epsilon, bit for bit for powers of two', () => {
  const shape = [4, 5, 6];
  const step = drawStep(shape, 3, 40);
  for (const a of [2, 0.25, 1024]) {
    const scaled = { ...step, inputs: step.inputs.map((x) => a * x) };
    const { outputs } = train(batchNormalization({ epsilon: 1 }), shape, scaled);
    const plain = train(batchNormalization({ epsilon: 1 / (a * a) }), shape, step);
    assertSameBits(outputs, plain.outputs);
  }
});

test('22: an input moved and scaled by any numbers comes out nearly the same', () => {
  const shape = [4, 5, 6];
  const step = drawStep(shape, 3, 41);
  const [a, b] = [3, 7];
  const moved = { ...step, inputs: step.inputs.map((x) => a * x + b) };
  const { outputs } = train(batchNormalization({ epsilon: 0.9 }), shape, moved);
  const plain = train(batchNormalization({ epsilon: 0.1 }), shape, step).outputs;
  const largest = plain.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
  // Rounding a x + b moves x by u (|x| + 2b/a) at most; the rest are six roundings of the layer in both runs.
  const bound = 32 * UNIT_ROUNDOFF * (largest + b);
  outputs.forEach((y, i) => {
    assert.ok(Math.abs(y - plain[i]!) <= bound, `${y} and ${plain[i]}`);
  });
});

test('22: gradients of an input sum to 0, and with the normalised input to a share of epsilon', () => {
  const shape = [6, 5, 4];
  const [count, pixels] = [5, 30];
  const epsilon = 0.5;
  const step = drawStep(shape, count, 42);
  const { gradInputs } = train(batchNormalization({ epsilon }), shape, step);
  for (let c = 0; c < 4; c++) {
    const at = Array.from({ length: count * pixels }, (_, i) => i * 4 + c);
    const n = at.length;
    const mean = at.reduce((sum, i) => sum + step.inputs[i]!, 0) / n;
    const variance = at.reduce((sum, i) => sum + (step.inputs[i]! - mean) ** 2, 0) / n;
    const deviation = Math.sqrt(variance + epsilon);
    const normalised = at.map((i) => (step.inputs[i]! - mean) / deviation);
    const products = at.reduce((sum, i, k) => sum + step.targets[i]! * normalised[k]!, 0);
    const expected = ((step.parameters.gamma![c]! / deviation) * products * epsilon) / (variance + epsilon);
    const sum = at.reduce((total, i) => total + gradInputs[i]!, 0);
    const withInput = at.reduce((total, i, k) => total + gradInputs[i]! * normalised[k]!, 0);
    const size = at.reduce((total, i) => total + Math.abs(gradInputs[i]!) + Math.abs(step.targets[i]!), 0);
    // Eight roundings an element, each of a number no larger than a few times gradient or target.
    const bound = 8 * UNIT_ROUNDOFF * 4 * size;
    assert.ok(Math.abs(sum) <= bound, `channel ${c}: gradients sum to ${sum}`);
    assert.ok(Math.abs(withInput - expected) <= 4 * bound, `channel ${c}: ${withInput}, not ${expected}`);
    assert.ok(Math.abs(expected) > 100 * bound, 'the bound sees the difference');
  }
});

test('the oracle’s gradients are the differences of its own forward pass, in f64', () => {
  const layer = batchNormalization({ ghostBatchSize: 3, epsilon: 0.01 });
  const step = drawStep([2, 3, 2], 5, 43);
  const problem: LayerProblem = {
    config: layer.config,
    inputShape: [2, 3, 2],
    inputShapes: [[2, 3, 2]],
    outputShape: [2, 3, 2],
    count: 5,
    input: Float64Array.from(step.inputs),
    parameters: step.parameters,
    name: 'x',
    seed: 0,
    step: 0,
  };
  const oracle = oracles.batchNormalization!;
  const loss = (input: Float64Array) =>
    oracle.forward({ ...problem, input }).values.reduce((sum, y, i) => sum + y * step.targets[i]!, 0);
  const gradOutput = { values: Float64Array.from(step.targets), bounds: new Float64Array(60) };
  const { gradInput } = oracle.backward(problem, gradOutput);
  gradInput.values.forEach((gradient, i) => {
    const moved = (by: number) => loss(Float64Array.from(problem.input, (x, k) => (k === i ? x + by : x)));
    const h = 1e-4;
    const difference = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
    assert.ok(Math.abs(gradient - difference) < 1e-9, `${i}: ${gradient}, not ${difference}`);
  });
});

test('ghost batches are batches by themselves', () => {
  const shape = [3, 2, 5];
  const [count, length] = [7, 30];
  const step = drawStep(shape, count, 44);
  const whole = train(batchNormalization({ ghostBatchSize: 3 }), shape, step);
  for (let from = 0; from < count; from += 3) {
    const [at, to] = [from * length, Math.min(count, from + 3) * length];
    const part = {
      ...step,
      inputs: step.inputs.slice(at, to),
      targets: step.targets.slice(at, to),
      count: Math.min(3, count - from),
    };
    const alone = train(batchNormalization(), shape, part);
    assertSameBits(whole.outputs.slice(at, to), alone.outputs, `outputs from sample ${from}`);
    assertSameBits(whole.gradInputs.slice(at, to), alone.gradInputs, `gradients from sample ${from}`);
  }
});

test('a channel far from 0 keeps its digits', () => {
  const shape = [8, 8, 1];
  const step = drawStep(shape, 2, 45);
  const far = { ...step, inputs: step.inputs.map((x) => 2 ** 20 + Math.round(8 * x) / 8) };
  const { outputs } = train(batchNormalization({ epsilon: 1e-5 }), shape, far);
  const mean = far.inputs.reduce((sum, x) => sum + x, 0) / 128;
  const variance = far.inputs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 128;
  outputs.forEach((y, i) => {
    const exact =
      ((far.inputs[i]! - mean) / Math.sqrt(variance + 1e-5)) * step.parameters.gamma![0]! +
      step.parameters.beta![0]!;
    // The mean itself is rounded to f32, which is 2^-4 at 2^20.
    const bound = (2 ** -4 / Math.sqrt(variance)) * Math.abs(step.parameters.gamma![0]!) + 1e-5;
    assert.ok(Math.abs(y - exact) <= bound, `${y}, not ${exact}`);
  });
});

function layers(): Layer[] {
  return [
    conv2d({ filters: 5, kernelSize: 3, padding: 'same', useBias: false }),
    batchNormalization({ momentum: 0.5 }),
    activation({ function: 'relu' }),
    conv2d({ filters: 4, kernelSize: 3, strides: 2 }),
    batchNormalization({ ghostBatchSize: 5 }),
    flatten(),
    batchNormalization({ scale: false }),
    dense({ units: CLASSES, activation: 'softmax' }),
  ];
}

const engines = [
  testEngine({ threads: 1 }),
  testEngine({ threads: 3 }),
  testEngine({ threads: 2, wide: false }),
  testEngine({ threads: 2, engine: 'scalar' }),
];

test('26: any number of workers of any engine leaves the same weights and moving averages', async () => {
  const results = [];
  for (const engine of engines) {
    await using model = sequential({ inputShape: IMAGE, seed: 5 }, layers());
    const options = { engine, optimizer: adam({ learningRate: 0.01 }), epochs: 2, batchSize: 16 };
    const { epochs } = await model.fit(smallDataset(45), { ...options, validation: smallDataset(9, 2) });
    const metrics = epochs.map(({ loss, valLoss }) => [loss, valLoss]);
    results.push({ hash: weightsSha256(model), metrics });
  }
  for (const result of results) assert.deepEqual(result, results[0]);
});

/** Concatenations, one normalisation called three times, and one first of all. */
function branched() {
  const image = input({ shape: IMAGE });
  const shared = batchNormalization({ name: 'shared', momentum: 0.5 });
  const first = batchNormalization()(image);
  const block = (x: SymbolicTensor) =>
    concatenate()([x, conv2d({ filters: 3, kernelSize: 3, padding: 'same' })(shared(x))]);
  const stem = conv2d({ filters: 6, kernelSize: 1 })(first);
  const joined = add()([shared(stem), shared(conv2d({ filters: 6, kernelSize: 1 })(block(stem)))]);
  const top = dense({ units: CLASSES, activation: 'softmax' });
  return functional({ inputs: image, outputs: top(globalAveragePooling2d()(joined)), seed: 3 });
}

test('26: shared and between concatenations it is the same on any number of workers, too', async () => {
  const results = [];
  for (const engine of engines) {
    await using model = branched();
    const { epochs } = await model.fit(smallDataset(45), { engine, epochs: 2, batchSize: 16 });
    const { data } = await model.predict(smallDataset(9, 2), { engine });
    results.push({ hash: weightsSha256(model), losses: epochs.map(({ loss }) => loss), outputs: [...data] });
  }
  for (const result of results) assert.deepEqual(result, results[0]);
});

test('moving averages follow the batches of training, and inference uses them', async () => {
  const engine = engines[0]!;
  await using model = sequential({ inputShape: [3] }, [
    batchNormalization({ momentum: 0.75, epsilon: 0.01 }),
  ]);
  const inputs = randomNormals(3, 4 * 3).map((x) => 2 * x + 1);
  const targets = Int32Array.of(0, 1, 2, 0);
  const { gradients } = await model.gradientsOnBatch({ inputs, targets }, { engine });
  assert.deepEqual(Object.keys(gradients), ['batchNormalization/gamma', 'batchNormalization/beta']);
  assert.deepEqual([...model.getWeights()['batchNormalization/movingMean']!.data], [0, 0, 0]);
  await model.trainOnBatch({ inputs, targets }, { engine, optimizer: sgd({ learningRate: 0 }) });
  const { 'batchNormalization/movingMean': mean, 'batchNormalization/movingVariance': variance } =
    model.getWeights();
  for (let c = 0; c < 3; c++) {
    const values = [0, 1, 2, 3].map((i) => inputs[i * 3 + c]!);
    const exact = values.reduce((sum, x) => sum + x, 0) / 4;
    const spread = values.reduce((sum, x) => sum + (x - exact) ** 2, 0) / 4;
    assert.ok(Math.abs(mean!.data[c]! - 0.25 * exact) <= 1e-6);
    assert.ok(Math.abs(variance!.data[c]! - (0.75 + 0.25 * spread)) <= 1e-6);
  }
  const { data } = await model.predict(inputs.slice(0, 3), { engine });
  data.forEach((y, c) => {
    const exact = (inputs[c]! - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + 0.01);
    assert.ok(Math.abs(y - exact) <= 1e-6);
  });
  model.setWeights({ 'batchNormalization/movingMean': [1, 2, 3] });
  const moved = await model.predict(Float32Array.of(1, 2, 3), { engine });
  assert.deepEqual([...moved.data], [0, 0, 0]);
});

test('frozen, it keeps to its moving averages while training, and nothing of it changes', async () => {
  const engine = engines[0]!;
  await using model = sequential({ inputShape: IMAGE, seed: 5 }, [
    conv2d({ filters: 5, kernelSize: 3 }),
    batchNormalization({ name: 'frozen', trainable: false }),
    flatten(),
    dense({ units: CLASSES, activation: 'softmax' }),
  ]);
  const mean = [0.1, -0.2, 0.3, 0, 1];
  model.setWeights({ 'frozen/movingMean': mean, 'frozen/movingVariance': [1, 2, 3, 4, 5] });
  const before = model.getWeights();
  const { loss: expected } = await model.evaluate(smallDataset(8), { engine });
  const { inputs, targets } = smallImages(8);
  const normalization = smallDataset(8).normalization!;
  const { loss } = await model.trainOnBatch({ inputs, targets, normalization }, { engine });
  assert.equal(loss, expected);
  const after = model.getWeights();
  for (const name of Object.keys(before).filter((key) => key.startsWith('frozen/'))) {
    assert.deepEqual(after[name], before[name], name);
  }
  assert.notDeepEqual(after['conv2d/weight'], before['conv2d/weight']);
});

test('it has as many numbers as in Keras: gamma, beta, and two moving averages', async () => {
  await using model = sequential({ inputShape: [4, 4, 6] }, [batchNormalization()]);
  assert.equal(model.parameterCount, 24);
});

test('a network with it learns', async () => {
  await using model = sequential({ inputShape: IMAGE, seed: 5 }, layers());
  const { inputs, targets } = smallImages(64);
  const options = { engine: engines[0]!, optimizer: adam({ learningRate: 0.01 }) };
  const first = await model.trainOnBatch({ inputs, targets }, options);
  for (let i = 0; i < 20; i++) await model.trainOnBatch({ inputs, targets }, options);
  const last = await model.trainOnBatch({ inputs, targets }, options);
  assert.ok(last.loss < first.loss / 2, `${first.loss} to ${last.loss}`);
});
