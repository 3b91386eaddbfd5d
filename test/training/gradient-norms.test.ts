import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type CheckpointOptions,
  ConfigError,
  type Dataset,
  type FitOptions,
  type StepProgress,
  sgd,
} from '../../src/index.ts';
import { gradientNorms, trainingGradientNorms } from '../../src/report/index.ts';
import {
  allWeights,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engines = [testEngine({ threads: 1 }), testEngine({ threads: 3 })];
const engine = engines[0]!;
const data = smallDataset(24);
const options: FitOptions = {
  batchSize: 8,
  epochs: 2,
  optimizer: sgd({ learningRate: 0.1, globalClipNorm: 0.1 }),
};

async function seen(each: FitOptions): Promise<{ progress: StepProgress[]; weights: Float32Array }> {
  await using model = smallModel();
  const progress: StepProgress[] = [];
  await model.fit(data, { ...options, ...each, onStep: (step) => void progress.push(step) });
  return { progress, weights: allWeights(model) };
}

test('the norms are those of the gradients, by layer, before clipping', async () => {
  await using model = smallModel();
  const { inputs, targets } = smallImages(24);
  const batch = { inputs: inputs.subarray(0, 8 * 192), targets: targets.subarray(0, 8) };
  const normalization = data.normalization!;
  const { gradients } = await model.gradientsOnBatch({ ...batch, normalization }, { engine });
  const squares: Record<string, number> = {};
  for (const [name, { data: values }] of Object.entries(gradients)) {
    const layer = name.split('/')[0]!;
    squares[layer] = (squares[layer] ?? 0) + values.reduce((sum, g) => sum + g * g, 0);
  }
  const { progress } = await seen({ gradientNorms: true, shuffle: false, engine });
  const first = progress[0]!.gradientNorms!;
  assert.deepEqual(Object.keys(first), ['conv2d', 'conv2d_1', 'dense', 'dense_1']);
  for (const [layer, square] of Object.entries(squares)) {
    assert.ok(Math.abs(first[layer]! / Math.sqrt(square) - 1) < 1e-12, layer);
  }
  assert.ok(Object.values(first).some((norm) => norm > 0.1));
});

test('asking for them changes no bit, and their bits do not depend on workers', async () => {
  const without = await seen({ engine });
  const [one, three] = [
    await seen({ engine, gradientNorms: true }),
    await seen({ engine: engines[1]!, gradientNorms: true }),
  ];
  assertSameBits(one.weights, without.weights);
  assert.ok(without.progress.every(({ gradientNorms }) => gradientNorms === undefined));
  assert.deepEqual(
    one.progress.map(({ gradientNorms }) => gradientNorms),
    three.progress.map(({ gradientNorms }) => gradientNorms),
  );
});

test('callbacks go on with their norms where a run goes on, in the middle of an epoch, too', async () => {
  const run = async (checkpoint?: CheckpointOptions, stopAfter = 0) => {
    await using model = smallModel();
    const control = new AbortController();
    const [steps, probe] = [trainingGradientNorms(), gradientNorms({ samples: 8 })];
    let done = 0;
    const onStep = () => {
      done += 1;
      if (done === stopAfter) control.abort();
    };
    const callbacks = [steps, probe];
    await model.fit(data, {
      ...options,
      ...(checkpoint && { checkpoint }),
      ...{ engine, gradientNorms: true, callbacks, onStep, signal: control.signal },
    });
    return [steps.norms, probe.norms];
  };
  const whole = await run();
  for (const steps of [2, 4]) {
    const folder = temporaryFolder();
    await run({ folder }, steps);
    assert.deepEqual(await run({ folder, resume: true }), whole);
  }
});

test('a norm that is not finite ends no run', async () => {
  await using model = smallModel();
  const broken = { ...data, inputType: 'float32' as const, normalization: { kind: 'none' } as const };
  const read: Dataset['read'] = (indices, into) => {
    into.targets.fill(0);
    indices.forEach((index, i) => {
      into.inputs.fill(index === 0 ? Number.NaN : 0.5, 192 * i, 192 * (i + 1));
    });
  };
  const probe = gradientNorms({ samples: 8 });
  const checkpoint = { folder: temporaryFolder() };
  const callbacks = [probe];
  const skipping = { ...options, engine, onNonFinite: 'skip', checkpoint, callbacks } as const;
  await model.fit({ ...broken, read }, skipping);
  assert.ok(probe.norms.some(({ norm }) => Number.isNaN(norm)));
  const { norms } = probe;
  await using again = smallModel();
  await again.fit({ ...broken, read }, { ...skipping, checkpoint: { ...checkpoint, resume: true } });
  assert.deepEqual(probe.norms, norms);
});

test('the callback for reports has each epoch’s means, and refuses a run without norms', async () => {
  await using model = smallModel();
  const callback = trainingGradientNorms();
  const steps: number[] = [];
  const onStep = ({ gradientNorms }: StepProgress) => void steps.push(gradientNorms!.dense!);
  await model.fit(data, { ...options, engine, gradientNorms: true, callbacks: [callback], onStep });
  const means = [0, 3].map((from) => (steps[from]! + steps[from + 1]! + steps[from + 2]!) / 3);
  assert.deepEqual(
    callback.norms.filter(({ layer }) => layer === 'dense'),
    means.map((norm, i) => ({ epoch: i + 1, layer: 'dense', norm })),
  );
  await assert.rejects(model.fit(data, { ...options, engine, callbacks: [callback] }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /gradientNorms: expected fit\(\{ gradientNorms: true \}\), got undefined/);
    return true;
  });
});
