/**
 * Checkpoints under fire: any change of the newest one's bytes makes the one before it the newest, and states of runs
 * that are changed by their structure are read as they are or refused by FormatError.
 */
import assert from 'node:assert/strict';
import { FormatError } from '../../src/errors.ts';
import { createEngine, earlyStopping } from '../../src/index.ts';
import { withNewestCheckpoint } from '../../src/io/checkpoint-folder.ts';
import { type RunState, readRunState } from '../../src/training/run-state.ts';
import { checkpointModel, DATA, runOptions } from '../../test/helpers/checkpoint-runs.ts';
import { volatileFiles } from '../../test/helpers/volatile-files.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guard, guardSync } from './fuzz/guard.ts';
import { changedJson } from './fuzz/json.ts';
import { diskOf, partsOf } from './fuzz/model-files.ts';
import { randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

const NAMES = [3, 6].map((step) => `/run/checkpoint-0000000${step}.safetensors`);

/** The checkpoints of a run of two epochs, as files. */
async function goodFiles(): Promise<Uint8Array[]> {
  const { files } = volatileFiles();
  const engine = createEngine({ threads: 1 });
  const model = checkpointModel();
  const callbacks = [earlyStopping({ patience: 5, restoreBestWeights: true })];
  await model.fit(DATA, { ...runOptions(engine), callbacks, checkpoint: { folder: '/run', files } });
  await model.close();
  await engine.close();
  return Promise.all(
    NAMES.map(async (name) => {
      const file = await files.open(name);
      const bytes = new Uint8Array(await file.size());
      await file.read(bytes, 0);
      return bytes;
    }),
  );
}

function checkState({ position, iterations, records, slots, callbacks }: RunState): void {
  for (const count of [position.epoch, position.step, position.samples, iterations]) {
    assert.ok(Number.isSafeInteger(count) && count >= 0);
  }
  for (const sum of [position.loss, position.learningRate]) assert.ok(Number.isFinite(sum));
  // Of masks, a sample's share of right pixels counts.
  for (const sum of [position.correct, position.errors, position.seconds]) {
    assert.ok(Number.isFinite(sum) && sum >= 0);
  }
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      // What is said of outputs and metrics is checked by its own figures.
      if (['outputs', 'valOutputs', 'metrics', 'valMetrics'].includes(name) && typeof value === 'object') {
        assert.ok(leavesOf(value).every(Number.isFinite), `${name}: ${JSON.stringify(value)}`);
        continue;
      }
      // Losses of numbers have no accuracy.
      const mayBeUnknown = name === 'accuracy' || name === 'valAccuracy';
      assert.ok(Number.isFinite(value) || (mayBeUnknown && Number.isNaN(value)), `${name}: ${value}`);
    }
  }
  assert.ok(slots.every((slot) => typeof slot === 'string'));
  for (const { tensors } of callbacks)
    for (const { shape } of tensors) assert.ok(shape.every(Number.isSafeInteger));
}

/** The numbers below a value, and whatever else is no object. */
function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

export const fuzzCheckpoint: Soak = {
  name: 'fuzz-checkpoint',
  claim:
    'checkpoints: every change is noticed and the one before is taken; states are read or refused by FormatError',
  unit: 'inputs',
  count: 100_000,
  async start({ seed }) {
    const [before, newest] = (await goodFiles()) as [Uint8Array, Uint8Array];
    const parts = partsOf(newest);
    const training = JSON.parse(parts.metadata.training!);
    const header = newest.length - parts.data.length;
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        if (random.chance(0.5)) {
          const text = changedJson(random, training);
          return guardSync(
            () => readRunState('read', text),
            (reading) => {
              if ('error' in reading) assert.ok(reading.error instanceof FormatError, reading.error.message);
              else checkState(reading.value);
            },
          );
        }
        const bytes = changeBytes(random, newest, header);
        const files = diskOf({ [NAMES[0]!]: before, [NAMES[1]!]: bytes });
        const warnings: string[] = [];
        const warn = (message: string) => void warnings.push(message);
        const read = () => withNewestCheckpoint('read', '/run', warn, async ({ step }) => step, files);
        return guard(read, async (reading) => {
          assert.ok('value' in reading, 'the one before it is whole');
          const same = Buffer.from(bytes).equals(newest);
          assert.deepEqual([reading.value, warnings.length], same ? [6, 0] : [3, 1]);
          const names = await files.list('/run');
          assert.equal(names.includes('checkpoint-00000006.safetensors.damaged'), !same);
        });
      },
    };
  },
};
