import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adagrad,
  adam,
  adamW,
  ConfigError,
  type FitOptions,
  lion,
  type Optimizer,
  rmsprop,
  sgd,
} from '../../src/index.ts';
import {
  allWeights,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engine = testEngine({ threads: 1 });
const data = smallDataset(24);

test('defaults are Keras’', () => {
  assert.deepEqual(sgd().plan, {
    spec: { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
    slots: [],
  });
  assert.equal(sgd().learningRate, 0.01);
  assert.deepEqual(adam().plan, {
    spec: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    slots: ['firstMoment', 'secondMoment'],
  });
  assert.equal(adam().learningRate, 0.001);
  assert.deepEqual(sgd({ momentum: 0.9 }).plan.slots, ['velocity']);
});

test('the others’ defaults are Keras’, too', () => {
  const decayed = { ...adam().plan.spec, weightDecay: 0.004 };
  assert.deepEqual(adamW().plan, { spec: decayed, slots: ['firstMoment', 'secondMoment'] });
  assert.deepEqual(rmsprop().plan, {
    spec: { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false, weightDecay: 0 },
    slots: ['square'],
  });
  assert.deepEqual(rmsprop({ momentum: 0.5, centered: true }).plan.slots, ['square', 'mean', 'momentum']);
  assert.deepEqual(adagrad().plan, {
    spec: { kind: 'adagrad', epsilon: 1e-7, weightDecay: 0 },
    slots: ['accumulator'],
    initialState: 0.1,
  });
  assert.deepEqual(lion().plan, {
    spec: { kind: 'lion', beta1: 0.9, beta2: 0.99, weightDecay: 0 },
    slots: ['momentum'],
  });
  for (const optimizer of [adamW(), rmsprop(), adagrad(), lion()])
    assert.equal(optimizer.learningRate, 0.001);
});

/** A step on gradients that are known, without and with an optimizer. */
async function oneStep(optimizer: Optimizer) {
  await using model = smallModel();
  const batch = smallImages(6);
  const before = model.getWeights();
  const { gradients } = await model.gradientsOnBatch(batch, { engine });
  await model.trainOnBatch(batch, { optimizer, engine });
  return { before, gradients, after: model.getWeights() };
}

test('Adagrad’s sums of squares begin with 0.1', async () => {
  const { before, gradients, after } = await oneStep(adagrad({ learningRate: 1, epsilon: 0 }));
  const f = Math.fround;
  for (const [name, { data }] of Object.entries(gradients)) {
    const expected = data.map((g, i) => before[name]!.data[i]! - f(g / f(Math.sqrt(f(f(0.1) + f(g * g))))));
    assertSameBits(after[name]!.data, expected, name);
  }
});

test('excluded parameters do not decay: by their own names, and by the beginning of the full one', async () => {
  const excluded = ['bias', 'dense_1'];
  const optimizer = sgd({ learningRate: 0.5, weightDecay: 0.25, excludeFromWeightDecay: excluded });
  const { before, gradients, after } = await oneStep(optimizer);
  const f = Math.fround;
  for (const [name, { data }] of Object.entries(gradients)) {
    const decays = !name.endsWith('/bias') && !name.startsWith('dense_1');
    const expected = data.map((g, i) => {
      const w = before[name]!.data[i]!;
      return (decays ? f(w - f(f(w * 0.25) * 0.5)) : w) - f(0.5 * g);
    });
    assertSameBits(after[name]!.data, expected, name);
  }
});

test('the numbers of a step: the rate for SGD, the bias-corrected step size for Adam', () => {
  assert.deepEqual(sgd({ learningRate: 0.5 }).hyper(17), [0.5, 0, 0, 0]);
  const optimizer = adam({ learningRate: 0.01, beta1: 0.8, beta2: 0.99 });
  for (const step of [0, 1, 9, 999]) {
    const expected = (0.01 * Math.sqrt(1 - 0.99 ** (step + 1))) / (1 - 0.8 ** (step + 1));
    assert.ok(Math.abs(optimizer.hyper(step)[0]! / expected - 1) < 1e-12, `step ${step}`);
  }
});

test('options without sense are refused by name', () => {
  const refused = (make: () => unknown, argument: string) =>
    assert.throws(make, (error) => error instanceof ConfigError && error.details.argument === argument);
  for (const learningRate of [-0.1, Number.NaN, Infinity]) {
    refused(() => sgd({ learningRate }), 'learningRate');
    refused(() => adam({ learningRate }), 'learningRate');
  }
  for (const share of [-0.1, 1, Number.NaN]) {
    refused(() => sgd({ momentum: share }), 'momentum');
    refused(() => adam({ beta1: share }), 'beta1');
    refused(() => adam({ beta2: share }), 'beta2');
  }
  for (const epsilon of [-1e-7, Number.NaN, Infinity]) refused(() => adam({ epsilon }), 'epsilon');
  refused(() => sgd({ learningRate: '0.1' as unknown as number }), 'learningRate');
  refused(() => rmsprop({ rho: 1 }), 'rho');
  refused(() => rmsprop({ momentum: -1 }), 'momentum');
  refused(() => rmsprop({ epsilon: Number.NaN }), 'epsilon');
  refused(() => rmsprop({ centered: 1 as unknown as boolean }), 'centered');
  refused(() => adagrad({ initialAccumulatorValue: -1 }), 'initialAccumulatorValue');
  refused(() => adagrad({ epsilon: -1 }), 'epsilon');
  refused(() => lion({ beta1: 1 }), 'beta1');
  refused(() => lion({ beta2: -0.1 }), 'beta2');
  refused(() => adamW({ weightDecay: -1 }), 'weightDecay');
  refused(() => adamW({ excludeFromWeightDecay: [''] }), 'excludeFromWeightDecay');
  refused(() => sgd({ l2: 0.1, weightDecay: 0.1 }), 'l2');
});

test('a name that is none is refused with those that are', async () => {
  await using model = smallModel();
  await assert.rejects(model.fit(data, { optimizer: 'Adam' as 'adam', engine }), {
    name: 'ConfigError',
    message:
      'fit: optimizer: expected an optimizer such as adam(), or one of adagrad, adam, adamW, lion, rmsprop, sgd, got "Adam"',
  });
});

/** Weights after two epochs of three steps. */
async function train(optimizer: FitOptions['optimizer']) {
  await using model = smallModel();
  await model.fit(data, { optimizer: optimizer!, epochs: 2, batchSize: 8, engine });
  return allWeights(model);
}

test('a schedule is a function of the step, counted from 0 over all epochs', async () => {
  const steps: number[] = [];
  const schedule = (step: number) => {
    steps.push(step);
    return step < 3 ? 0.05 : 0;
  };
  const scheduled = await train(sgd({ learningRate: schedule }));
  assert.deepEqual(steps, [0, 1, 2, 3, 4, 5]);
  await using model = smallModel();
  await model.fit(data, { optimizer: sgd({ learningRate: 0.05 }), batchSize: 8, engine });
  assertSameBits(scheduled, allWeights(model), 'with a rate of 0 the second epoch changes nothing');
});

test('a constant schedule is a constant, for both optimizers', async () => {
  assertSameBits(await train(sgd({ learningRate: () => 0.05 })), await train(sgd({ learningRate: 0.05 })));
  assertSameBits(await train(adam({ learningRate: () => 0.01 })), await train(adam({ learningRate: 0.01 })));
});

test('a schedule that gives no rate is refused, naming the step; what was trained until then stays', async () => {
  await using model = smallModel();
  const schedule = (step: number) => (step < 2 ? 0.01 : Number.NaN);
  const options = { batchSize: 8, engine, shuffle: false };
  await assert.rejects(model.fit(data, { ...options, optimizer: sgd({ learningRate: schedule }) }), {
    name: 'ConfigError',
    message: /learning rate of step 2: learningRate: expected a finite number/,
  });
  const steps: number[] = [];
  const counted = sgd({ learningRate: (step) => steps.push(step) * 0 });
  await model.fit(data, { ...options, optimizer: counted });
  assert.equal(steps[0], 2, 'the two finished steps count');
});

test('optimizers go by name with their defaults', async () => {
  assertSameBits(await train('adam'), await train(adam()));
  assertSameBits(await train('sgd'), await train(sgd()));
  assertSameBits(await train(undefined), await train(adam()));
});

test('Nesterov’s momentum, momentum and plain descent are three different things', async () => {
  const all = [sgd(), sgd({ momentum: 0.9 }), sgd({ momentum: 0.9, nesterov: true })];
  const results = [];
  for (const optimizer of all) results.push((await train(optimizer)).join());
  assert.equal(new Set(results).size, 3);
});
