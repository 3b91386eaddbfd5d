/** The command line of train:cifar, and how it reports progress. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { argumentsOf, HELP, parseOptions, resumedOptions } from '../../scripts/train-cifar/options.ts';
import { createProgress, epochLine, formatDuration } from '../../scripts/train-cifar/progress.ts';
import { ConfigError } from '../../src/errors.ts';

const now = new Date('2026-03-04T05:06:07Z');

test('the defaults are those of the notebook', () => {
  assert.deepEqual(parseOptions([], now), {
    model: 'cifarNotebook',
    data: undefined,
    epochs: 20,
    batchSize: 32,
    threads: undefined,
    seed: 21,
    limit: undefined,
    augment: true,
    normalization: 'standardize',
    numerics: 'fast',
    engine: 'simd',
    out: 'runs/2026-03-04T05-06-07-cifar',
    checkpointEvery: undefined,
    resume: undefined,
    help: false,
  });
});

test('every option is read', () => {
  const line =
    '--model cifarInception --data D --epochs 3 --batch-size 16 --threads 2 --seed 0 --limit 64 --no-augment --normalization notebook --numerics direct --engine scalar --out O --checkpoint-every 9';
  assert.deepEqual(parseOptions(line.split(' '), now), {
    model: 'cifarInception',
    data: 'D',
    epochs: 3,
    batchSize: 16,
    threads: 2,
    seed: 0,
    limit: 64,
    augment: false,
    normalization: 'notebook',
    numerics: 'direct',
    engine: 'scalar',
    out: 'O',
    checkpointEvery: 9,
    resume: undefined,
    help: false,
  });
});

test('the help names every option', () => {
  const names = [
    'model',
    'data',
    'epochs',
    'batch-size',
    'numerics',
    'threads',
    'seed',
    'limit',
    'no-augment',
    'engine',
    'out',
    'checkpoint-every',
    'resume',
    'help',
  ];
  for (const name of names) assert.match(HELP, new RegExp(`^  --${name}\\b`, 'm'));
});

test('what makes no sense is refused, naming the option, what it wants and what it got', () => {
  for (const name of ['epochs', 'batch-size', 'threads', 'limit', 'checkpoint-every']) {
    for (const value of ['0', '-1', '1.5', 'many', '', '1e3', '99999999999999999999']) {
      assert.throws(
        () => parseOptions([`--${name}=${value}`]),
        (error) =>
          error instanceof ConfigError &&
          error.message ===
            `train:cifar: --${name}: expected a whole number from 1 on, got ${JSON.stringify(value)}`,
      );
    }
  }
  assert.throws(() => parseOptions(['--engine', 'gpu']), /--engine: expected simd or scalar, got "gpu"/);
  assert.throws(() => parseOptions(['--frob']), /'--frob'/);
  assert.throws(() => parseOptions(['extra']), /'extra'/);
  assert.throws(() => parseOptions(['--seed']), /--seed/);
});

const record = {
  epoch: 2,
  loss: 1.23456,
  accuracy: 0.5,
  valLoss: 1.5,
  valAccuracy: 0.25,
  seconds: 12.34,
  learningRate: 0.001,
  imagesPerSecond: 987.6,
};

test('an epoch is a line like that of Keras', () => {
  assert.equal(
    epochLine(record, 20),
    'Epoch 2/20 - 12.3s - 988 images/s - loss: 1.2346 - accuracy: 0.5000 - val_loss: 1.5000 - val_accuracy: 0.2500',
  );
});

test('durations are printed as clocks show them', () => {
  assert.deepEqual([0, 42.4, 725, 3723, 36_000].map(formatDuration), [
    '0:00',
    '0:42',
    '12:05',
    '1:02:03',
    '10:00:00',
  ]);
});

/** What progress writes for an epoch of three steps. */
function written(isTTY: boolean): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  const terminal = Object.assign(stream, {
    isTTY,
    columns: 120,
    cursorTo: () => (text += '<cursor>'),
    clearLine: () => (text += '<clear>'),
    moveCursor: () => true,
    clearScreenDown: () => true,
  });
  const progress = createProgress(terminal as never);
  for (let step = 1; step <= 3; step++) {
    const numbers = {
      loss: 2,
      accuracy: 0.1,
      epoch: 2,
      epochs: 20,
      learningRate: 0.001,
      imagesPerSecond: 100,
      secondsLeft: 65,
    };
    progress.step({ ...numbers, step, steps: 3 });
  }
  progress.epoch(record, 20);
  progress.stop();
  return text;
}

test('without a terminal there are plain lines, in a terminal a bar that is gone in the end', () => {
  assert.equal(written(false), `${epochLine(record, 20)}\n`);
  const bar = written(true);
  assert.match(bar, /epoch 2\/20 .*0\/3 \| 100 images\/s \| 1:05 left \| loss 2.0000/);
  assert.ok(bar.endsWith(`${epochLine(record, 20)}\n`));
});

test('what config.json stores brings the run back', () => {
  const line =
    '--model cifarInception --data=-D --epochs 3 --batch-size 16 --seed 0 --limit 64 --no-augment --normalization notebook --numerics direct --checkpoint-every 9';
  const options = parseOptions(line.split(' '), now);
  const args = Object.entries(argumentsOf(options)).map(([name, value]) =>
    value === true ? `--${name}` : `--${name}=${value}`,
  );
  assert.deepEqual(parseOptions(args, now), options);
  assert.deepEqual(parseOptions([], now), parseOptions([], now));
});

test('a run that goes on has its own options; epochs, workers, engine and checkpoints may be others', () => {
  const run = parseOptions(
    '--epochs 3 --batch-size 16 --seed 5 --checkpoint-every 9 --out R'.split(' '),
    now,
  );
  const resume = (line: string) => {
    const args = line.split(' ');
    return resumedOptions(run, parseOptions(args, now), args);
  };
  assert.deepEqual(resume('--resume R'), { ...run, resume: 'R' });
  assert.deepEqual(resume('--resume R --epochs 9 --threads 3 --engine scalar --checkpoint-every 2'), {
    ...run,
    resume: 'R',
    epochs: 9,
    threads: 3,
    engine: 'scalar',
    checkpointEvery: 2,
  });
  for (const other of ['--batch-size=8', '--out=O', '--no-augment', '--data=D', '--model=cifarNotebook']) {
    assert.throws(
      () => parseOptions(['--resume', 'R', other]),
      /--resume: expected only options that leave the run the same beside it, got --/,
    );
  }
  assert.throws(() => parseOptions(['--resume=']), /--resume: expected a run's folder, got none/);
});
