/** The bits of the committed fingerprint, as far as one machine and one Node can show them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { differences, readExpected } from '../../../scripts/bits/expected.ts';
import { fingerprint, imageModel } from '../../../scripts/bits/recipe.ts';
import * as faltung from '../../../src/index.ts';
import { planProgram } from '../../../src/model/plan.ts';
import { Engine, type EngineOptions } from '../../../src/parallel/engine.ts';
import { lossPlan } from '../../../src/training/loss-plans.ts';
import { faultyEngine } from '../../helpers/faults.ts';

const expected = readExpected();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const engines: Engine[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

async function assertSameBits(engine: Engine, label: string): Promise<void> {
  engines.push(engine);
  const found = await fingerprint(faltung, engine, sha256);
  assert.deepEqual(differences(expected, found), [], `${label}: other bits than those committed`);
}

for (const options of [
  { threads: 1, engine: 'scalar' },
  { threads: 1, wide: false },
  { threads: 1 },
  { threads: 5 },
] satisfies EngineOptions[]) {
  const label = JSON.stringify(options);
  test(`the recipe leaves the committed bits with ${label}`, () =>
    assertSameBits(new Engine(options), label));
}

describe('26: it leaves them under 20 adversarial schedules of 1 to 8 workers', () => {
  for (let threads = 1; threads <= 8; threads++) {
    const options: EngineOptions = {
      threads,
      wide: threads % 3 > 0,
      engine: threads % 4 === 2 ? 'scalar' : 'simd',
    };
    // The pauses of a run go on where those of the run before ended: each is a schedule of its own.
    const schedules = threads <= 4 ? 3 : 2;
    test(`${schedules} with ${JSON.stringify(options)}`, async () => {
      const engine = faultyEngine(options, { pauseSeed: 7000 + threads, pauseShare: 0.3 });
      for (let schedule = 0; schedule < schedules; schedule++) {
        await assertSameBits(engine, `schedule ${schedule}`);
      }
    });
  }
});

test('the recipe has all kernels of convolutional training in it', () => {
  const { graph } = imageModel(faltung);
  const plan = planProgram(graph, {
    mode: 'train',
    batchSize: 8,
    shardSize: 2,
    input: { type: 'uint8', mode: 'standardize', mean: [0, 0, 0], std: [1, 1, 1], augmented: true },
    targets: { kind: 'index', length: 1 },
    loss: lossPlan('categoricalCrossentropy', 'index'),
    optimizer: faltung.adam().plan,
    seed: 21,
  });
  const calls = plan.phases.flatMap(({ units }) => units.flatMap(({ calls: all }) => all));
  const kinds = new Set(calls.map(({ spec }) => spec.kind));
  for (const kind of [
    'normalizePixels',
    'affineWarp',
    'winogradForward',
    'winogradWeightGradient',
    'conv2dForward',
    'conv2dInputGradient',
    'conv2dWeightGradient',
    'batchNormForward',
    'preluBackward',
    'maxPoolBackward',
    'averagePoolBackward',
    'dropoutForward',
    'activationBackward',
    'denseWeightGradient',
    'softmaxCrossEntropy',
    'reduceShards',
    'adam',
  ]) {
    assert.ok(kinds.has(kind), `${kind} is not among ${[...kinds].join(', ')}`);
  }
  const winograd = calls.filter(({ spec }) => spec.kind === 'winogradForward');
  const tiles = new Set(winograd.map(({ spec }) => (spec as unknown as { outputTile: number }).outputTile));
  assert.deepEqual(tiles, new Set([4, 2]));
});

test('a learning rate that differs in the sixth digit leaves other bits: the fingerprint is not blind', async () => {
  const engine = new Engine({ threads: 1 });
  const turned = { ...faltung, adam: () => faltung.adam({ learningRate: 0.0100001 }) };
  const found = await fingerprint(turned, engine, sha256);
  await engine.close();
  assert.deepEqual(differences(expected, found), ['weights', 'metrics', 'outputs']);
});
