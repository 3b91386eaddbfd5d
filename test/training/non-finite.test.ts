/** Losses and gradients that are NaN or infinite: noticed in their step, named, and never applied. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  activation,
  adam,
  batchNormalization,
  conv2d,
  type Dataset,
  dense,
  dropout,
  flatten,
  type Model,
  maxPooling2d,
  NonFiniteLossError,
  type StepProgress,
  sequential,
  sgd,
} from '../../src/index.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { smallData } from '../helpers/small-model.ts';

const ENGINES = {
  '1 worker': testEngine({ threads: 1 }),
  '3 workers': testEngine({ threads: 3 }),
  '2 scalar workers': testEngine({ threads: 2, engine: 'scalar' }),
};
const engine = ENGINES['3 workers'];

/** A convolution, an activation of its own, and a dense layer whose gradient is that of the whole batch. */
function model(): Model {
  return sequential({ inputShape: [8, 8, 3], seed: 5 }, [
    conv2d({ filters: 8, kernelSize: 3, padding: 'same', name: 'first' }),
    activation({ function: 'softplus', name: 'bend' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', name: 'second' }),
    flatten(),
    dropout({ rate: 0.3 }),
    dense({ units: 4, activation: 'softmax', name: 'top' }),
  ]);
}

const clean = smallData(24);

/** The clean data with one value of one sample changed. */
function spoilt(sample: number, value: number): Dataset {
  return {
    ...clean,
    read(indices, into) {
      void clean.read(indices, into);
      const at = indices.indexOf(sample);
      if (at >= 0) into.inputs[at * 192 + 70] = value;
    },
  };
}

async function failureOf(run: Promise<unknown>): Promise<NonFiniteLossError> {
  const error = await run.then(
    () => assert.fail('the run went well'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof NonFiniteLossError, String(error));
  return error;
}

/** The weights after so many steps of the clean data in order. */
async function after(steps: number): Promise<Float32Array[]> {
  await using steady = model();
  const size = 4 * steps;
  if (size > 0) await steady.fit({ ...clean, size }, { batchSize: 4, shuffle: false, engine });
  return weightsOf(steady);
}

function weightsOf(of: Model): Float32Array[] {
  return Object.values(of.getWeights()).map(({ data }) => data);
}

function assertSameWeights(of: Model, expected: readonly Float32Array[]): void {
  for (const [i, data] of weightsOf(of).entries()) assertSameBits(data, expected[i]!);
}

describe('the run stops within the step, names it, and leaves the weights of before it', () => {
  for (const [name, each] of Object.entries(ENGINES)) {
    test(`NaN or an infinity among the samples: ${name}`, async () => {
      const expected = await after(3);
      for (const value of [Number.NaN, Infinity]) {
        await using failing = model();
        const options = { batchSize: 4, shuffle: false, engine: each };
        const error = await failureOf(failing.fit(spoilt(14, value), options));
        assert.equal(
          error.message,
          `fit: epoch 1, step 4: expected finite losses and gradients, got ${value} in sample 14 of the data set (look at what the data set reads; the weights are those of before the step)`,
        );
        assert.deepEqual(error.place, {
          epoch: 1,
          step: 4,
          layer: undefined,
          tensor: 'sample 14 of the data set',
        });
        assertSameWeights(failing, expected);
      }
    });

    test(`activations that overflow: ${name}`, async () => {
      const expected = await after(2);
      await using failing = model();
      const scale = (by: number) => {
        const { data } = failing.getWeights()['first/weight']!;
        failing.setWeights({ 'first/weight': data.map((w) => w * by) });
      };
      const error = await failureOf(
        failing.fit(spoilt(9, 3e38), {
          batchSize: 4,
          shuffle: false,
          engine: each,
          onStep: ({ step }) => (step === 2 ? scale(1024) : undefined),
        }),
      );
      assert.match(
        error.message,
        /^fit: epoch 1, step 3: expected finite losses and gradients, got -?Infinity in the output of layer "first" \(lower the learning rate/,
      );
      assert.deepEqual([error.place.step, error.place.layer], [3, 'first']);
      scale(1 / 1024);
      assertSameWeights(failing, expected);
    });

    test(`gradients whose squares would be infinite in Adam: ${name}`, async () => {
      const expected = await after(2);
      await using failing = model();
      const error = await failureOf(
        failing.fit(spoilt(9, 3e38), { batchSize: 4, shuffle: false, engine: each }),
      );
      assert.match(
        error.message,
        /step 3: expected gradients whose squares are finite, got \S+e\+\d\d in the gradient of first\/weight/,
      );
      assertSameWeights(failing, expected);
    });
  }

  test('the sample is named by its place in the data set, in a shuffled epoch too', async () => {
    await using failing = model();
    const error = await failureOf(failing.fit(spoilt(17, Number.NaN), { batchSize: 5, engine }));
    assert.equal(error.place.tensor, 'sample 17 of the data set');
  });

  test('weights that were not finite before', async () => {
    await using failing = model();
    const { data } = failing.getWeights()['second/weight']!;
    failing.setWeights({ 'second/weight': data.with(11, -Infinity) });
    const error = await failureOf(failing.fit(clean, { batchSize: 4, engine }));
    assert.equal(error.place.layer, 'second');
    assert.match(error.message, /got -Infinity in the parameter second\/weight, from before the step/);
  });

  test('a gradient that overflows where the loss does not', async () => {
    await using failing = model();
    const weights = failing.getWeights();
    // The logits stay as they are: what the second layer makes smaller, the top makes larger again.
    const scale = 2 ** 100;
    const huge = weights['top/weight']!.data.map((w) => w * scale);
    const tiny = weights['second/weight']!.data.map((w) => w / scale);
    failing.setWeights({ 'top/weight': huge, 'second/weight': tiny });
    const { loss } = await failing.evaluate(clean, { engine });
    assert.ok(Number.isFinite(loss));
    const before = weightsOf(failing);
    const sampleWeight = new Float32Array(24).fill(1e30);
    const error = await failureOf(failing.fit(clean, { batchSize: 4, shuffle: false, engine, sampleWeight }));
    assert.match(error.message, /got (NaN|-?Infinity) in the gradient of the input of layer "top"/);
    assert.equal(error.place.layer, 'top');
    assertSameWeights(failing, before);
  });

  test('gradients of samples that are finite each, and their sum is not', async () => {
    await using failing = sequential({ inputShape: [4], seed: 1 }, [dense({ units: 2, name: 'top' })]);
    const inputs = new Float32Array(16).fill(1);
    const targets = new Int32Array(4);
    const sampleWeight = new Float32Array(4).fill(3.4e38);
    const before = weightsOf(failing);
    const batch = { inputs: inputs.map((x) => 20 * x), targets };
    const error = await failureOf(failing.trainOnBatch(batch, { engine, sampleWeight }));
    assert.match(
      error.message,
      /^trainOnBatch: expected finite losses and gradients, got -?Infinity in the gradient of top\/weight \(/,
    );
    assert.deepEqual(error.place, { layer: 'top', tensor: 'the gradient of top/weight' });
    assertSameWeights(failing, before);
  });

  test('a target that is no number', async () => {
    const dense2: Dataset = {
      ...clean,
      targets: { kind: 'dense', shape: [4] },
      read(indices, into) {
        void clean.read(indices, { ...into, targets: new Int32Array(indices.length) });
        into.targets.fill(0.25);
        const at = indices.indexOf(6);
        if (at >= 0) into.targets[4 * at] = Number.NaN;
      },
    };
    await using failing = model();
    const error = await failureOf(failing.fit(dense2, { batchSize: 4, shuffle: false, engine }));
    assert.match(error.message, /step 2: .* got NaN in the (loss|gradient of the loss)/);
  });

  test('an update that overflows ends the epoch, and its weights are not taken for good ones', async () => {
    await using failing = model();
    const optimizer = sgd({ learningRate: 3e38 });
    const one = { ...clean, size: 4 };
    const sampleWeight = new Float32Array(4).fill(1000);
    const error = await failureOf(failing.fit(one, { batchSize: 4, engine, optimizer, sampleWeight }));
    assert.match(
      error.message,
      /^fit: epoch 1: expected finite weights .* in parameter\/\S+ after the update/,
    );
  });
});

describe("onNonFinite: 'skip' leaves the step out, counts it and goes on", () => {
  test('to the weights that the other steps alone lead to, on any number of workers', async () => {
    // Samples 8 to 11 make up the third batch; without dropout's step numbers the rest is a shorter data set.
    const without: Dataset = {
      ...clean,
      size: 20,
      read: (indices, into) =>
        clean.read(
          indices.map((i) => (i < 8 ? i : i + 4)),
          into,
        ),
    };
    await using shorter = model();
    const plain = await shorter.fit(without, { batchSize: 4, shuffle: false, engine, epochs: 2 });
    for (const [name, each] of Object.entries(ENGINES)) {
      await using skipping = model();
      const seen: number[] = [];
      const { epochs } = await skipping.fit(spoilt(9, Number.NaN), {
        batchSize: 4,
        shuffle: false,
        engine: each,
        epochs: 2,
        onNonFinite: 'skip',
        onStep: ({ skippedSteps }) => void seen.push(skippedSteps!),
      });
      assert.deepEqual(seen, [0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1], name);
      assert.deepEqual(
        epochs.map(({ loss, accuracy, skippedSteps }) => [loss, accuracy, skippedSteps]),
        plain.epochs.map(({ loss, accuracy }) => [loss, accuracy, 1]),
        name,
      );
      assertSameWeights(skipping, weightsOf(shorter));
    }
  });

  test('on a single batch, the loss comes back as it is', async () => {
    await using skipping = model();
    const before = weightsOf(skipping);
    const inputs = new Float32Array(2 * 192).fill(Number.NaN);
    const batch = { inputs, targets: Int32Array.of(1, 2) };
    const { loss } = await skipping.trainOnBatch(batch, { engine, onNonFinite: 'skip' });
    assert.ok(Number.isNaN(loss));
    assertSameWeights(skipping, before);
    inputs.fill(0.5);
    assert.ok(Number.isFinite((await skipping.trainOnBatch(batch, { engine })).loss));
  });

  test('but not where the weights themselves are not finite: no other step could help', async () => {
    await using failing = model();
    const { data } = failing.getWeights()['top/weight']!;
    failing.setWeights({ 'top/weight': data.with(0, Number.NaN) });
    const error = await failureOf(failing.fit(clean, { batchSize: 4, engine, onNonFinite: 'skip' }));
    assert.equal(error.place.layer, 'top');
  });

  test('an epoch in which every step would be left out ends the run', async () => {
    await using failing = model();
    const before = weightsOf(failing);
    const all: Dataset = { ...clean, read: (_, into) => void into.inputs.fill(Number.NaN) };
    const error = await failureOf(failing.fit(all, { batchSize: 4, engine, onNonFinite: 'skip' }));
    assert.match(error.message, /^fit: epoch 1: expected a step whose .* are finite, got none of 6 \(/);
    assertSameWeights(failing, before);
  });

  test('steps left out before a checkpoint are counted when the run goes on', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'faltung-skip-'));
    try {
      const stop = new AbortController();
      const options = { batchSize: 4, shuffle: false, engine, onNonFinite: 'skip', epochs: 2 } as const;
      await using first = model();
      const onStep = ({ step }: StepProgress) => (step === 4 ? stop.abort() : undefined);
      const dataset = spoilt(9, Number.NaN);
      await first.fit(dataset, { ...options, onStep, signal: stop.signal, checkpoint: { folder } });
      await using second = model();
      const { epochs } = await second.fit(dataset, { ...options, checkpoint: { folder, resume: true } });
      await using steady = model();
      const plain = await steady.fit(dataset, options);
      assert.deepEqual(
        epochs.map(({ skippedSteps }) => skippedSteps),
        [1, 1],
      );
      assert.deepEqual(
        epochs.map(({ loss }) => loss),
        plain.epochs.map(({ loss }) => loss),
      );
      assertSameWeights(second, weightsOf(steady));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('batch normalisation: a layer behind a meeting of the shards is named, moving averages stay', async () => {
  await using failing = sequential({ inputShape: [8, 8, 3], seed: 5 }, [
    conv2d({ filters: 4, kernelSize: 3, name: 'first' }),
    batchNormalization({ name: 'norm' }),
    conv2d({ filters: 4, kernelSize: 3, name: 'second' }),
    flatten(),
    dense({ units: 4, activation: 'softmax', name: 'top' }),
  ]);
  const { data } = failing.getWeights()['norm/gamma']!;
  failing.setWeights({ 'norm/gamma': data.map(() => 3e38) });
  const before = weightsOf(failing);
  assert.equal(before.length, 10, 'moving averages are among the weights');
  const error = await failureOf(failing.fit(clean, { batchSize: 8, engine }));
  assert.match(error.message, /got Infinity in statistics of layer "norm"/);
  assertSameWeights(failing, before);
});

test('the model trains on after the error as if the step had not been tried', async () => {
  const optimizer = adam();
  const options = { batchSize: 4, shuffle: false, engine, optimizer } as const;
  await using failing = model();
  await failureOf(failing.fit(spoilt(9, Number.NaN), options));
  await failing.fit({ ...clean, size: 8 }, options);
  await using steady = model();
  await steady.fit({ ...clean, size: 8 }, options);
  await steady.fit({ ...clean, size: 8 }, options);
  assertSameWeights(failing, weightsOf(steady));
});

test('senseless values are refused', async () => {
  await using refusing = model();
  const onNonFinite = 'ignore' as 'skip';
  const message = /onNonFinite: expected 'stop' or 'skip', got "ignore"/;
  await assert.rejects(refusing.fit(clean, { engine, onNonFinite }), { name: 'ConfigError', message });
  const batch = { inputs: new Float32Array(192), targets: Int32Array.of(0) };
  await assert.rejects(refusing.trainOnBatch(batch, { engine, onNonFinite }), {
    name: 'ConfigError',
    message,
  });
});
