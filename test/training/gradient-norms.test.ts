import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError, type FitOptions, type StepProgress, sgd } from '../../src/index.ts';
import { trainingGradientNorms } from '../../src/report/index.ts';
import {
  allWeights,
  smallDataset,
  smallImages,
  smallModel,
  testEngine,
} from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

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
