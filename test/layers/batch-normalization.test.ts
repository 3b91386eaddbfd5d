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
import { exactValues, roundingBound } from '../helpers/conformance-bounds.ts';
import { CLASSES, IMAGE, smallDataset, smallImages, testEngine } from '../helpers/conformance-data.ts';
import { probePlan } from '../helpers/conformance-model.ts';
import type { LayerProblem } from '../helpers/conformance-oracle.ts';
import { oracles } from '../helpers/conformance-oracles.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import { assertBounded, exactly, multiply, rounded, subtract, add as sum } from '../helpers/running-error.ts';
import { addBounds, assertWithin } from '../helpers/tolerance.ts';

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

/** The oracle's problem of a step. */
function problemOf(layer: Layer, shape: Shape, { inputs, parameters, count }: Step): LayerProblem {
  return {
    config: layer.config,
    inputShape: shape,
    inputShapes: [shape],
    outputShape: shape,
    count,
    input: inputs,
    parameters,
    name: 'x',
    seed: 0,
    step: 0,
  };
}

test('22: an input moved and scaled by any numbers comes out the same within both bounds', (t) => {
  const shape = [4, 5, 6];
  const drawn = drawStep(shape, 3, 41);
  // Multiples of 2^-8: 3 x + 7 is one of f32.
  const step = { ...drawn, inputs: drawn.inputs.map((x) => Math.round(256 * x) / 256) };
  const moved = { ...step, inputs: step.inputs.map((x) => 3 * x + 7) };
  const layers = [batchNormalization({ epsilon: 0.9 }), batchNormalization({ epsilon: 0.1 })] as const;
  const { outputs } = train(layers[0], shape, moved);
  const plain = train(layers[1], shape, step).outputs;
  const [ofMoved, ofPlain] = [moved, step].map((each, i) =>
    oracles.batchNormalization!.forward(problemOf(layers[i]!, shape, each)),
  );
  const worst = assertWithin(outputs, plain, addBounds(ofMoved!.bounds, ofPlain!.bounds));
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('22: gradients of an input sum to 0, and with the normalised input to a share of epsilon', (t) => {
  const shape = [6, 5, 4];
  const epsilon = 0.5;
  let worst = 0;
  for (const seed of [42, 52, 62]) {
    const step = drawStep(shape, 5, seed);
    const layer = batchNormalization({ epsilon });
    const { gradInputs } = train(layer, shape, step);
    const { gradInput } = oracles.batchNormalization!.backward(
      problemOf(layer, shape, step),
      exactValues(step.targets),
    );
    for (let c = 0; c < 4; c++) {
      const at = Array.from({ length: 150 }, (_, i) => i * 4 + c);
      const sumOf = (values: (i: number) => number) => at.reduce((sum, i) => sum + values(i), 0);
      const mean = sumOf((i) => step.inputs[i]!) / at.length;
      const variance = sumOf((i) => (step.inputs[i]! - mean) ** 2) / at.length;
      const deviation = Math.sqrt(variance + epsilon);
      const normalised = (i: number) => (step.inputs[i]! - mean) / deviation;
      const products = sumOf((i) => step.targets[i]! * normalised(i));
      const expected = ((step.parameters.gamma![c]! / deviation) * products * epsilon) / (variance + epsilon);
      // Each gradient is within its bound of one of f64, and those have these sums.
      const bound = sumOf((i) => gradInput.bounds[i]!);
      const ofProducts = sumOf((i) => gradInput.bounds[i]! * Math.abs(normalised(i)));
      const sums = [sumOf((i) => gradInputs[i]!), sumOf((i) => gradInputs[i]! * normalised(i))];
      worst = Math.max(worst, assertWithin(sums, [0, expected], [bound, ofProducts], `channel ${c}`));
      assert.ok(Math.abs(expected) > 100 * ofProducts, 'the bound sees the difference');
    }
  }
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('the oracle’s gradients are the differences of its own forward pass, in f64', () => {
  const layer = batchNormalization({ ghostBatchSize: 3, epsilon: 0.01 });
  const step = drawStep([2, 3, 2], 5, 43);
  const problem = problemOf(layer, [2, 3, 2], { ...step, inputs: step.inputs });
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

test('a channel far from 0 keeps its digits', (t) => {
  let worst = 0;
  const shape = [8, 8, 1];
  const step = drawStep(shape, 2, 45);
  const far = { ...step, inputs: step.inputs.map((x) => 2 ** 20 + Math.round(8 * x) / 8) };
  const { outputs } = train(batchNormalization({ epsilon: 1e-5 }), shape, far);
  const mean = far.inputs.reduce((sum, x) => sum + x, 0) / 128;
  const variance = far.inputs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 128;
  const [gamma, beta] = [step.parameters.gamma![0]!, step.parameters.beta![0]!];
  // The mean is rounded to f32, and its 128 values are a power of two's share; the scale's f64 is off by 2^-43 at most.
  const scale = rounded(gamma / Math.sqrt(variance + 1e-5));
  const scaleOf = { ...scale, error: scale.error + 2 ** -43 * Math.abs(scale.value) };
  outputs.forEach((y, i) => {
    const scaled = multiply(subtract(exactly(far.inputs[i]!), rounded(mean)), scaleOf);
    worst = Math.max(worst, assertBounded(y, sum(scaled, exactly(beta)), `output ${i}`));
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
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
    // Computed in f64 and rounded once.
    assert.ok(Math.abs(mean!.data[c]! - 0.25 * exact) <= roundingBound(0.25 * Math.abs(exact)));
    const moved = 0.75 + 0.25 * spread;
    assert.ok(Math.abs(variance!.data[c]! - moved) <= roundingBound(moved));
  }
  const { data } = await model.predict(inputs.slice(0, 3), { engine });
  data.forEach((y, c) => {
    const scale = rounded(1 / Math.sqrt(variance!.data[c]! + 0.01));
    const expected = multiply(subtract(exactly(inputs[c]!), exactly(mean!.data[c]!)), scale);
    assertBounded(y, sum(expected, exactly(0)), `output ${c}`);
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
