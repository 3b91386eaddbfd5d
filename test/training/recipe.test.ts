/** A modern recipe as a whole: its bits do not depend on workers, and a resumed run equals one that never stopped. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  adagrad,
  adamW,
  categoricalCrossentropy,
  cosineDecay,
  type FitOptions,
  lion,
  type Optimizer,
  oneCycle,
  rmsprop,
  sgd,
  warmup,
} from '../../src/index.ts';
import { EPOCHS, runOptions, STEPS, train, trainAndCrash, trainUntil } from '../helpers/checkpoint-runs.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engines = [
  testEngine({ threads: 1 }),
  testEngine({ threads: 3 }),
  testEngine({ threads: 2, engine: 'scalar' }),
];

const OPTIMIZERS: Record<string, () => Optimizer> = {
  'AdamW, warm-up and cosine, global clipping, averages': () =>
    adamW({
      learningRate: warmup(cosineDecay({ initialLearningRate: 0.02, decaySteps: 4 }), { warmupSteps: 2 }),
      weightDecay: 0.05,
      excludeFromWeightDecay: ['bias', 'gamma', 'beta'],
      globalClipNorm: 0.5,
      useEma: true,
      emaMomentum: 0.7,
    }),
  'Nesterov, one cycle, decay, clipping by parameter': () =>
    sgd({
      learningRate: oneCycle({ maxLearningRate: 0.2, totalSteps: STEPS * EPOCHS }),
      momentum: 0.9,
      nesterov: true,
      weightDecay: 0.01,
      clipNorm: 0.3,
    }),
  'RMSprop, centered, with momentum, clipping by value': () =>
    rmsprop({ learningRate: 0.002, momentum: 0.5, centered: true, clipValue: 0.05 }),
  'Adagrad, decay': () => adagrad({ learningRate: 0.05, weightDecay: 0.1 }),
  'Lion, averages': () => lion({ learningRate: 0.002, useEma: true, emaMomentum: 0.5 }),
};

for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
  describe(name, () => {
    const options = (engine: FitOptions['engine']): FitOptions => ({
      ...runOptions(engines[0]!),
      optimizer: optimizer(),
      loss: categoricalCrossentropy({ labelSmoothing: 0.1 }),
      ...(engine && { engine }),
    });
    const uninterrupted = train(options(engines[0]));

    test('any number of workers and both engines give the same weights', async () => {
      for (const engine of engines.slice(1)) {
        assert.deepEqual(await train(options(engine)), await uninterrupted);
      }
    });

    for (let steps = 1; steps <= STEPS * EPOCHS; steps++) {
      test(`stopped after step ${steps}, gone on with other workers`, async () => {
        const folder = temporaryFolder();
        await trainUntil(steps, { ...options(engines[0]), checkpoint: { folder } });
        const engine = engines[steps % engines.length];
        const resumed = await train({ ...options(engine), checkpoint: { folder, resume: true } });
        assert.deepEqual(resumed, await uninterrupted);
        const again = await train({ ...options(engine), checkpoint: { folder, resume: true } });
        assert.deepEqual(again, await uninterrupted, 'a finished run resumed is that run');
      });
    }

    test('crashed, gone on from the last checkpoint', async () => {
      const folder = temporaryFolder();
      await trainAndCrash(5, { ...options(engines[0]), checkpoint: { folder, everySteps: 2 } });
      const resumed = await train({ ...options(engines[1]), checkpoint: { folder, resume: true } });
      assert.deepEqual(resumed, await uninterrupted);
    });
  });
}

test('another schedule with the same rates so far is another run', async () => {
  const folder = temporaryFolder();
  const options = (decaySteps: number): FitOptions => ({
    ...runOptions(engines[0]!),
    optimizer: sgd({ learningRate: cosineDecay({ initialLearningRate: 0, decaySteps }) }),
  });
  await trainUntil(1, { ...options(10), checkpoint: { folder } });
  await assert.rejects(
    train({ ...options(20), checkpoint: { folder, resume: true } }),
    /schedule: expected what the checkpoint's run had, .*"decaySteps":10.*got .*"decaySteps":20/,
  );
});
