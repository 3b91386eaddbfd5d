import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  adam,
  ConfigError,
  type Dataset,
  earlyStopping,
  type FitOptions,
  FormatError,
  load,
  type Model,
  NonFiniteLossError,
  sgd,
  weightsSha256,
} from '../../src/index.ts';
import {
  checkpointModel,
  DATA,
  EPOCHS,
  outcome,
  runOptions,
  STEPS,
  train,
  trainAndCrash,
  trainUntil,
} from '../helpers/checkpoint-runs.ts';
import { smallDataset, testEngine } from '../helpers/conformance-data.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const one = testEngine({ threads: 1 });
const others = [
  testEngine({ threads: 2 }),
  testEngine({ threads: 3 }),
  testEngine({ threads: 2, engine: 'scalar' }),
];
const uninterrupted = train(runOptions(one));

const names = (folder: string) => readdirSync(folder).sort();
const checkpointName = (step: number) => `checkpoint-${String(step).padStart(8, '0')}.safetensors`;

describe('29: resumed = uninterrupted, bit for bit', () => {
  for (let steps = 1; steps <= STEPS * EPOCHS; steps++) {
    test(`stopped after step ${steps}, gone on with other workers`, async () => {
      const folder = temporaryFolder();
      const stopped = await trainUntil(steps, { ...runOptions(one), checkpoint: { folder } });
      assert.equal(stopped.end, 'aborted');
      const engine = others[steps % others.length]!;
      const resumed = await train({ ...runOptions(engine), checkpoint: { folder, resume: true } });
      assert.deepEqual(resumed, await uninterrupted);
    });

    test(`crashed after step ${steps}, gone on from the last checkpoint`, async () => {
      const folder = temporaryFolder();
      await trainAndCrash(steps, { ...runOptions(one), checkpoint: { folder, everySteps: 2 } });
      const engine = others[(steps + 1) % others.length]!;
      const resume = steps > 2 ? true : 'ifAny';
      const resumed = await train({ ...runOptions(engine), checkpoint: { folder, resume } });
      assert.deepEqual(resumed, await uninterrupted);
    });
  }

  test('stopped and gone on after every single step', async () => {
    const folder = temporaryFolder();
    for (let step = 0; step < STEPS * EPOCHS; step++) {
      const engine = others[step % others.length]!;
      await trainUntil(1, { ...runOptions(engine), checkpoint: { folder, resume: 'ifAny' } });
    }
    assert.deepEqual(
      await train({ ...runOptions(one), checkpoint: { folder, resume: true } }),
      await uninterrupted,
    );
  });

  test('stopped in the validation, which is done again', async () => {
    const folder = temporaryFolder();
    const control = new AbortController();
    const validation = smallDataset(5, 2);
    let reads = 0;
    const watched: Dataset = {
      ...validation,
      read(indices, into) {
        // The first read is that of the samples that stand for the data set.
        reads += 1;
        if (reads === 2) control.abort();
        return validation.read(indices, into);
      },
    };
    const options = {
      ...runOptions(one),
      validation: watched,
      signal: control.signal,
      checkpoint: { folder },
    };
    const stopped = await train(options);
    assert.deepEqual([stopped.end, stopped.metrics.length], ['aborted', 0]);
    const resumed = await train({ ...runOptions(others[0]!), checkpoint: { folder, resume: true } });
    assert.deepEqual(resumed, await uninterrupted);
  });

  test('SGD with momentum, without shuffling, weighted, epochs from 1 on', async () => {
    const options: FitOptions = {
      ...runOptions(one),
      optimizer: sgd({ learningRate: (step) => 0.1 / (1 + step), momentum: 0.9 }),
      shuffle: false,
      sampleWeight: Float32Array.from({ length: 21 }, (_, i) => 1 + (i % 3)),
      initialEpoch: 1,
      epochs: 3,
    };
    const folder = temporaryFolder();
    await trainUntil(4, { ...options, checkpoint: { folder } });
    const resumed = await train({ ...options, engine: others[0]!, checkpoint: { folder, resume: true } });
    assert.deepEqual(resumed, await train(options));
    assert.deepEqual(
      resumed.metrics.map(({ epoch }) => epoch),
      [2, 3],
    );
  });
});

test('a finished run resumed is that run; with more epochs it goes on as if they had been asked for at once', async () => {
  const folder = temporaryFolder();
  await train({ ...runOptions(one), checkpoint: { folder } });
  const again = await train({ ...runOptions(one), checkpoint: { folder, resume: true } });
  assert.deepEqual(again, await uninterrupted);
  const longer = await train({ ...runOptions(one), epochs: 3, checkpoint: { folder, resume: true } });
  assert.deepEqual(longer, await train({ ...runOptions(one), epochs: 3 }));
});

test('the newest two are kept, after every epoch and every few steps', async () => {
  const folder = temporaryFolder();
  const seen: string[][] = [];
  const onStep = () => void seen.push(names(folder));
  await train({ ...runOptions(one), checkpoint: { folder, everySteps: 2 }, onStep });
  assert.deepEqual(seen, [
    [],
    [],
    [checkpointName(2)],
    [checkpointName(2), checkpointName(3)],
    [checkpointName(3), checkpointName(4)],
    [checkpointName(3), checkpointName(4)],
  ]);
  assert.deepEqual(names(folder), [checkpointName(4), checkpointName(6)]);
});

test('a checkpoint opens as the model that it is', async () => {
  const folder = temporaryFolder();
  const trained = await train({ ...runOptions(one), checkpoint: { folder } });
  await using model = await load(path.join(folder, checkpointName(6)));
  assert.equal(weightsSha256(model), trained.weights);
});

describe('damage', () => {
  /** A folder with the checkpoints of steps 3 and 4 of a run that was stopped. */
  async function stoppedRun(): Promise<string> {
    const folder = temporaryFolder();
    await trainUntil(4, { ...runOptions(one), checkpoint: { folder } });
    assert.deepEqual(names(folder), [checkpointName(3), checkpointName(4)]);
    return folder;
  }

  function damage(folder: string, step: number, change: (content: Buffer) => Buffer): void {
    const file = path.join(folder, checkpointName(step));
    writeFileSync(file, change(readFileSync(file)));
  }

  const flip = (at: number) => (content: Buffer) => {
    content[at]! ^= 1;
    return content;
  };

  /** Resumes; the warnings on the way. */
  async function resume(folder: string) {
    const warnings: string[] = [];
    const listen = ({ name, message }: Error) => void (name === 'FaltungWarning' && warnings.push(message));
    process.on('warning', listen);
    const resumed = await train({ ...runOptions(one), checkpoint: { folder, resume: true } });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    return { resumed, warnings };
  }

  for (const [what, change] of Object.entries({
    'a flipped bit of a weight': (content: Buffer) => flip(content.length - 100)(content),
    'a flipped bit of the header': flip(200),
    'a truncated file': (content: Buffer) => content.subarray(0, content.length >> 1),
    'an empty file': () => Buffer.alloc(0),
    'a file of zeros': (content: Buffer) => Buffer.alloc(content.length),
  })) {
    test(`${what}: the one before is taken, loudly, and the damaged one kept aside`, async () => {
      const folder = await stoppedRun();
      damage(folder, 4, change);
      const { resumed, warnings } = await resume(folder);
      assert.deepEqual(resumed, await uninterrupted);
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0]!,
        /^A checkpoint is damaged and was put aside as .*00000004\.safetensors\.damaged: /,
      );
      assert.ok(names(folder).includes(`${checkpointName(4)}.damaged`));
    });
  }

  test('of all of them: an error that says so, and nothing is trained', async () => {
    const folder = await stoppedRun();
    for (const step of [3, 4]) damage(folder, step, flip(300));
    await assert.rejects(train({ ...runOptions(one), checkpoint: { folder, resume: true } }), (error) => {
      assert.ok(error instanceof FormatError);
      assert.match(
        error.message,
        /expected at least one checkpoint that is whole, got 2 damaged: .*\(start the run anew\)/,
      );
      return true;
    });
  });
});

describe('what would not be the same run is refused by name', () => {
  const folder = temporaryFolder();
  const started = trainUntil(1, { ...runOptions(one), checkpoint: { folder } });
  const CHANGES: Record<string, Partial<FitOptions>> = {
    batchSize: { batchSize: 7 },
    optimizer: { optimizer: adam({ learningRate: 0.01, beta1: 0.8 }) },
    learningRates: { optimizer: adam({ learningRate: 0.02 }) },
    augmentation: { augmentation: { horizontalFlip: true } },
    shuffle: { shuffle: false },
    seed: { seed: 4 },
    validation: { validation: smallDataset(6, 2) },
    classWeight: { classWeight: [1, 1, 1, 2] },
    sampleWeight: { sampleWeight: new Float32Array(21).fill(2) },
  };
  for (const [name, change] of Object.entries(CHANGES)) {
    test(name, async () => {
      await started;
      await assert.rejects(
        train({ ...runOptions(one), ...change, checkpoint: { folder, resume: true } }),
        (error) => {
          assert.ok(error instanceof ConfigError, String(error));
          assert.equal(error.details.argument, name);
          assert.match(error.message, /expected what the checkpoint's run had, /);
          return true;
        },
      );
    });
  }

  test('other samples', async () => {
    await started;
    const other = train({ ...runOptions(one), checkpoint: { folder, resume: true } }, smallDataset(21, 5));
    await assert.rejects(other, /dataset: expected what the checkpoint's run had/);
  });

  test('another model', async () => {
    await started;
    await using model = checkpointModel();
    model.freeze('conv2d');
    const options = { ...runOptions(one), checkpoint: { folder, resume: true } };
    await assert.rejects(model.fit(DATA, options), /model, architecture: expected that of the checkpoint/);
  });

  test('a folder with another run, a folder without one, senseless options', async () => {
    await started;
    const refused = async (checkpoint: object, message: RegExp) => {
      const options = { ...runOptions(one), checkpoint: { folder, ...checkpoint } };
      await assert.rejects(
        train(options),
        (error) => error instanceof ConfigError && message.test(error.message),
      );
    };
    await refused(
      {},
      /no checkpoints of another run, which would be replaced, got .*00000001\.safetensors \(resume: true/,
    );
    await refused(
      { folder: temporaryFolder(), resume: true },
      /expected a checkpoint to resume from, got none/,
    );
    await refused({ folder: '' }, /folder: expected a folder's path/);
    await refused({ everySteps: 0 }, /everySteps: expected a positive integer, got 0/);
    await refused({ resume: 'yes' }, /resume: expected true, false or 'ifAny', got "yes"/);
  });
});

test('early stopping goes on where it was, with the best weights that it keeps', async () => {
  const options = (): FitOptions => ({
    ...runOptions(one),
    optimizer: sgd({ learningRate: 0.3 }),
    epochs: 8,
    callbacks: [earlyStopping({ patience: 2, restoreBestWeights: true })],
  });
  const whole = await train(options());
  assert.equal(whole.end, 'stopped');
  const epochs = whole.metrics.length;
  for (const steps of [STEPS * (epochs - 2) + 1, STEPS * epochs - 1]) {
    const folder = temporaryFolder();
    await trainUntil(steps, { ...options(), checkpoint: { folder } });
    const resumed = await train({ ...options(), checkpoint: { folder, resume: true } });
    assert.deepEqual(resumed, whole);
    const again = await train({ ...options(), checkpoint: { folder, resume: true } });
    assert.deepEqual(again, whole, 'a run that was stopped stays stopped, and gives the best weights again');
    const without = train({ ...options(), callbacks: [], checkpoint: { folder, resume: true } });
    await assert.rejects(without, /callbacks: expected 1 that remember something/);
  }
});

test('where another optimizer is used after an epoch, the run’s own starts anew, as without a stop', async () => {
  const run = async (model: Model, options: FitOptions) => {
    const batch = { inputs: new Float32Array(2 * 192).fill(0.5), targets: Int32Array.of(0, 1) };
    const other = { optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), engine: one };
    const onEpoch = async () => void (await model.trainOnBatch(batch, other));
    const useEma = { ...runOptions(one), optimizer: adam({ learningRate: 0.01, useEma: true }) };
    return outcome(model, await model.fit(DATA, { ...useEma, onEpoch, ...options }));
  };
  await using whole = checkpointModel();
  const expected = await run(whole, {});
  const folder = temporaryFolder();
  await using first = checkpointModel();
  await run(first, { epochs: 1, checkpoint: { folder } });
  await using second = checkpointModel();
  assert.deepEqual(await run(second, { checkpoint: { folder, resume: true } }), expected);
});

test('what is not finite is not saved: the checkpoints before it stay', async () => {
  const folder = temporaryFolder();
  await using model = checkpointModel();
  let done = 0;
  const run = model.fit(DATA, {
    ...runOptions(one),
    checkpoint: { folder, everySteps: 1 },
    onStep() {
      done += 1;
      if (done === 2) model.setWeights({ 'dense/bias': [0, Number.NaN, 0, 0] });
    },
  });
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof NonFiniteLossError, String(error));
    assert.match(
      error.message,
      /fit: checkpoint in epoch 1 after step 2: expected finite .*NaN in dense\/bias, element 1/,
    );
    return true;
  });
  assert.deepEqual(names(folder), [checkpointName(1)]);
});
