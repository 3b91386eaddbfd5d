/** Figures that are no finite numbers, as the loss of a validation may be: they end no run, and files keep them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  arrayDataset,
  csvLogger,
  type Dataset,
  dense,
  type EpochRecord,
  earlyStopping,
  type FitOptions,
  functional,
  input,
  jsonlLogger,
  type Model,
  namedDataset,
  readEpochEvents,
  sequential,
} from '../../src/index.ts';
import { readRunState, startOfEpoch, writeRunState } from '../../src/training/run-state.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 1, engine: 'scalar' });
const inputs = Float32Array.from({ length: 16 }, (_, i) => i / 16);
const numbers = (targets: Float32Array): Dataset =>
  arrayDataset({ inputs, inputShape: [2], targets, targetShape: [1] });
const data = numbers(new Float32Array(8));
/** By epoch: the loss of the validation. */
const TOLD = [Number.NaN, Number.POSITIVE_INFINITY, 0.25];

/** Trains on numbers with such losses of the validation, which an answer of 0 has. */
async function run(options: FitOptions): Promise<readonly EpochRecord[]> {
  await using model = sequential({ inputShape: [2] }, [dense({ units: 1, kernelInitializer: 'zeros' })]);
  let told = 0;
  const targets = TOLD.map(Math.sqrt);
  const read: Dataset['read'] = (_, into) => {
    into.inputs.fill(0);
    into.targets.fill(targets[told]!);
  };
  const { epochs } = await model.fit(data, {
    epochs: TOLD.length,
    batchSize: 8,
    loss: 'meanSquaredError',
    validation: { ...data, size: 1, read },
    engine,
    onEpoch: ({ epoch }) => {
      told = epoch;
    },
    ...options,
  });
  return epochs;
}

const withoutTimes = (records: readonly EpochRecord[]) =>
  records.map(({ seconds: _, imagesPerSecond: __, ...figures }) => figures);

test('a checkpoint keeps them, and a run that goes on has them in its history', async () => {
  const folder = temporaryFolder();
  const whole = await run({ checkpoint: { folder } });
  assert.deepEqual(
    whole.map(({ valLoss }) => valLoss),
    TOLD,
  );
  const again = await run({ checkpoint: { folder, resume: true } });
  assert.deepEqual(withoutTimes(again), withoutTimes(whole));
});

test('so it does those of outputs', async () => {
  const image = input({ shape: [2] });
  const outputs = { one: dense({ units: 1 })(image), other: dense({ units: 1 })(image) };
  const two = (other: number) => {
    const values = { one: new Float32Array(8), other: new Float32Array(8).fill(other) };
    const named = Object.entries(values).map(([name, each]) => [name, { values: each, shape: [1] }]);
    return namedDataset({
      inputs: { input: { values: inputs, shape: [2] } },
      targets: Object.fromEntries(named),
    });
  };
  const folder = temporaryFolder();
  const train = async (model: Model, resume: boolean) => {
    const options = { loss: 'meanSquaredError', validation: two(Number.NaN), engine } as const;
    const stopping = earlyStopping({ monitor: 'valOutputs.other.loss', patience: 3 });
    return model.fit(two(1), { ...options, checkpoint: { folder, resume }, callbacks: [stopping] });
  };
  await using first = functional({ inputs: image, outputs });
  const { epochs } = await train(first, false);
  assert.ok(Number.isNaN(epochs[0]!.valOutputs!.other!.loss));
  await using second = functional({ inputs: image, outputs });
  assert.deepEqual((await train(second, true)).epochs, epochs);
});

test('a line of CSV has them, one of JSON leaves them out', async () => {
  const folder = temporaryFolder();
  const [csv, jsonl] = ['run.csv', 'run.jsonl'].map((name) => path.join(folder, name)) as [string, string];
  await run({ callbacks: [csvLogger(csv), jsonlLogger(jsonl)] });
  const [header, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  const place = header!.split(',').indexOf('valLoss');
  assert.deepEqual(
    lines.map((line) => Number(line.split(',')[place])),
    TOLD,
  );
  const events = readFileSync(jsonl, 'utf8');
  assert.ok(!events.includes('null'));
  assert.deepEqual(
    readEpochEvents(events).map(({ valLoss }) => valLoss),
    [undefined, undefined, 0.25],
  );
});

test('a checkpoint of a time before there were metrics is read', () => {
  const none = { records: [], slots: [], callbacks: [] };
  const state = { position: startOfEpoch(1), iterations: 1, stopped: false, configuration: {}, ...none };
  const { position, ...rest } = JSON.parse(writeRunState('write', state));
  const { metrics: _, ...older } = position;
  assert.deepEqual(readRunState('read', JSON.stringify({ ...rest, position: older })), state);
});
