import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../src/errors.ts';
import {
  adagrad,
  adam,
  adamW,
  arrayDataset,
  binaryCrossentropy,
  categoricalCrossentropy,
  cosineDecay,
  createEngine,
  csvLogger,
  dense,
  dice,
  earlyStopping,
  exponentialDecay,
  functional,
  huber,
  input,
  jsonlLogger,
  lion,
  modelCheckpoint,
  oneCycle,
  piecewiseConstantDecay,
  rmsprop,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  warmup,
} from '../src/index.ts';

const inputs = input({ shape: [2] });
const layers = [dense({ units: 2 })];
const model = sequential({ inputShape: [2] }, layers);
const data = arrayDataset({
  inputs: new Float32Array(8),
  inputShape: [2],
  targets: new Int32Array(4),
  classes: 2,
});
const batch = { inputs: new Float32Array(2), targets: new Int32Array(1) };

/** What takes options, by the name in its errors: what it is called with, and options that are right. */
// biome-ignore lint/suspicious/noExplicitAny: plain JavaScript passes anything.
const TAKERS: Readonly<Record<string, readonly [call: (options: any) => unknown, right: object]>> = {
  sequential: [(options) => sequential(options, layers), { inputShape: [2], seed: 3 }],
  functional: [functional, { inputs, outputs: dense({ units: 1 })(inputs) }],
  input: [input, { shape: [2] }],
  adagrad: [adagrad, { epsilon: 1e-6 }],
  adam: [adam, { beta1: 0.8, clipNorm: 1 }],
  adamW: [adamW, { weightDecay: 0.1 }],
  lion: [lion, { beta2: 0.9, useEma: true }],
  rmsprop: [rmsprop, { centered: true, rho: 0.5 }],
  sgd: [sgd, { nesterov: true, momentum: 0.9 }],
  categoricalCrossentropy: [categoricalCrossentropy, { labelSmoothing: 0.1 }],
  sparseCategoricalCrossentropy: [sparseCategoricalCrossentropy, { fromLogits: false }],
  binaryCrossentropy: [binaryCrossentropy, {}],
  huber: [huber, { delta: 2 }],
  dice: [dice, { smooth: 1 }],
  piecewiseConstantDecay: [piecewiseConstantDecay, { boundaries: [1], values: [1, 0.5] }],
  exponentialDecay: [exponentialDecay, { initialLearningRate: 1, decaySteps: 2, decayRate: 0.5 }],
  cosineDecay: [cosineDecay, { initialLearningRate: 1, decaySteps: 2 }],
  oneCycle: [oneCycle, { maxLearningRate: 1, totalSteps: 4 }],
  warmup: [(options) => warmup(0.1, options), { warmupSteps: 3 }],
  earlyStopping: [earlyStopping, { patience: 2, monitor: 'loss' }],
  modelCheckpoint: [(options) => modelCheckpoint('model', options), { saveBestOnly: true }],
  csvLogger: [(options) => csvLogger('log.csv', options), { separator: ';' }],
  jsonlLogger: [(options) => jsonlLogger('log.jsonl', options), { everySeconds: 2 }],
  engine: [createEngine, { threads: 1 }],
};

test('whatever takes options refuses one that it does not have, and what is no object', () => {
  for (const [name, [call, right]] of Object.entries(TAKERS)) {
    call({ ...right, nonsense: undefined });
    const unknown = {
      name: 'ConfigError',
      message: new RegExp(`^${name}: options: expected only .*got "nonsense"`),
    };
    assert.throws(() => call({ ...right, nonsense: 1 }), unknown, name);
    for (const [options, received] of [
      [null, 'null'],
      [3, '3'],
      [[right], '[{'],
    ] as const) {
      const wrong = (error: unknown) =>
        error instanceof ConfigError &&
        error.message.startsWith(`${name}: options: expected an object of `) &&
        error.details.received.startsWith(received);
      assert.throws(() => call(options), wrong, `${name} ${received}`);
    }
  }
});

test('fit refuses options that it does not have, those of its parts included', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: plain JavaScript passes anything.
  const train = (options: any) => model.fit(data, options);
  const told = (message: string | RegExp) => ({ name: 'ConfigError', message });
  await assert.rejects(
    train({ epoch: 3 }),
    told(/^fit: options: expected only optimizer, .*got "epoch" \(did you mean epochs\?\)$/),
  );
  await assert.rejects(train(null), told(/^fit: options: expected an object of .*, got null$/));
  await assert.rejects(
    train({ checkpoint: { folder: 'x', everyStep: 3 } }),
    told(
      'fit, checkpoint: options: expected only folder, everySteps, resume, files, got "everyStep" (did you mean everySteps?)',
    ),
  );
  await assert.rejects(
    train({ augmentation: { horizontalFlips: true } }),
    told(
      /^fit augmentation: options: expected only .*got "horizontalFlips" \(did you mean horizontalFlip\?\)$/,
    ),
  );
  await assert.rejects(
    train({ loss: { name: 'meanSquaredError', delta: 1 } }),
    told('meanSquaredError: options: expected none, got "delta"'),
  );
});

test('evaluation, prediction and single batches refuse them too, but take those of fit', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: plain JavaScript passes anything.
  const calls: readonly ((options: any) => Promise<unknown>)[] = [
    (options) => model.evaluate(data, options),
    (options) => model.predict(data, options),
    (options) => model.trainOnBatch(batch, options),
  ];
  const shared = { epochs: 3, loss: 'categoricalCrossentropy', threads: 1, engine: 'scalar' };
  for (const call of calls) {
    await assert.rejects(call({ ...shared, thread: 1 }), {
      name: 'ConfigError',
      message: /got "thread" \(did you mean threads\?\)$/,
    });
    await call(shared);
  }
  await model.close();
});
