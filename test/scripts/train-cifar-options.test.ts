/** The command line of train:cifar. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsOf, HELP, parseOptions, readWords } from '../../scripts/train-cifar/options.ts';
import { TRAINING_OPTIONS, wordsOf } from '../../scripts/training/options.ts';
import { resumedOptions } from '../../scripts/training/resume.ts';
import { ConfigError } from '../../src/errors.ts';

const now = new Date('2026-03-04T05:06:07Z');

test('the defaults are those of the notebook', () => {
  assert.deepEqual(parseOptions([], now), {
    model: 'cifarNotebook',
    data: undefined,
    limit: undefined,
    normalization: 'standardize',
    preset: 'notebook',
    epochs: 20,
    batchSize: 32,
    optimizer: 'adam',
    learningRate: 0.001,
    momentum: 0,
    schedule: 'constant',
    warmup: 0,
    weightDecay: 0,
    clipNorm: undefined,
    ema: undefined,
    labelSmoothing: 0,
    augment: 'notebook',
    shuffle: true,
    classWeight: 'none',
    validationSplit: 0.1,
    earlyStopping: undefined,
    monitor: undefined,
    minDelta: 0,
    restoreBest: false,
    onNonFinite: 'stop',
    seed: 21,
    numerics: 'fast',
    from: undefined,
    freeze: [],
    threads: undefined,
    engine: 'simd',
    out: 'runs/2026-03-04T05-06-07-cifar',
    checkpointEvery: undefined,
    gradientNorms: false,
    ui: false,
    resume: undefined,
  });
});

/** Every option that decides a run, none at its default. */
const EVERYTHING =
  '--model cifarInception --data=-D --limit 64 --normalization notebook --epochs 3 --batch-size 16 --optimizer sgd --learning-rate 1e-2 --momentum 0.9 --preset fast --schedule cosine --warmup 0.5 --weight-decay 0.01 --clip-norm 1 --ema .9 --label-smoothing .2 --augment light --no-shuffle --class-weight balanced --validation-split .25 --early-stopping 4 --monitor valLoss --min-delta 0.001 --restore-best --on-non-finite skip --seed 0 --numerics direct --checkpoint-every 9 --gradient-norms';

test('every option is read', () => {
  const line = `${EVERYTHING} --threads 2 --engine scalar --out O`;
  assert.deepEqual(parseOptions(line.split(' '), now), {
    model: 'cifarInception',
    data: '-D',
    limit: 64,
    normalization: 'notebook',
    preset: 'fast',
    epochs: 3,
    batchSize: 16,
    optimizer: 'sgd',
    learningRate: 0.01,
    momentum: 0.9,
    schedule: 'cosine',
    warmup: 0.5,
    weightDecay: 0.01,
    clipNorm: 1,
    ema: 0.9,
    labelSmoothing: 0.2,
    augment: 'light',
    shuffle: false,
    classWeight: 'balanced',
    validationSplit: 0.25,
    earlyStopping: 4,
    monitor: 'valLoss',
    minDelta: 0.001,
    restoreBest: true,
    onNonFinite: 'skip',
    seed: 0,
    numerics: 'direct',
    from: undefined,
    freeze: [],
    threads: 2,
    engine: 'scalar',
    out: 'O',
    checkpointEvery: 9,
    gradientNorms: true,
    ui: false,
    resume: undefined,
  });
});

test('an optimizer that is not the preset’s has a learning rate of its own', () => {
  assert.equal(parseOptions(['--optimizer', 'sgd']).learningRate, 0.01);
  assert.equal(parseOptions(['--preset', 'fast', '--optimizer', 'adam']).learningRate, 0.001);
});

test('a preset gives way to what is said beside it', () => {
  const fast = parseOptions(['--preset', 'fast']);
  const { batchSize, learningRate, schedule, labelSmoothing, augment } = fast;
  assert.deepEqual(
    { batchSize, learningRate, schedule, labelSmoothing, augment },
    { batchSize: 64, learningRate: 0.002, schedule: 'cosine', labelSmoothing: 0.1, augment: 'light' },
  );
  assert.deepEqual(
    parseOptions(['--preset', 'fast', '--batch-size', '8', '--no-augment', '--out', fast.out]),
    {
      ...fast,
      batchSize: 8,
      augment: 'none',
    },
  );
});

test('a network has the recipe that suits it, and gives way to another preset', () => {
  const recipe = (...args: string[]) => {
    const { model, preset, epochs, batchSize, optimizer, learningRate, momentum } = parseOptions(args);
    return [model, preset, epochs, batchSize, optimizer, learningRate, momentum];
  };
  assert.deepEqual(recipe('--model', 'cifarInception'), [
    'cifarInception',
    'fast',
    20,
    64,
    'adamW',
    0.002,
    0,
  ]);
  assert.deepEqual(recipe('--model', 'resnet20'), ['resNet20', 'residual', 30, 128, 'sgd', 0.1, 0.9]);
  assert.deepEqual(recipe('--model', 'densenetbc100'), ['denseNetBC100', 'dense', 10, 64, 'sgd', 0.1, 0.9]);
  assert.deepEqual(recipe('--model', 'resNet56', '--preset', 'notebook').slice(1), [
    ...['notebook', 20, 32, 'adam', 0.001, 0],
  ]);
  // The momentum is that of the preset's own optimizer.
  assert.deepEqual(recipe('--model', 'resNet20', '--optimizer', 'adam').slice(4), ['adam', 0.001, 0]);
});

test('a model to begin with decides network and normalisation; its layers may be frozen', () => {
  const options = parseOptions(['--from', 'runs/a', '--freeze', 'conv2d, dense'], now);
  assert.deepEqual([options.from, options.freeze], ['runs/a', ['conv2d', 'dense']]);
  assert.deepEqual(parseOptions(wordsOf(argumentsOf(options)), now), options);
  const refused: [string[], RegExp][] = [
    [['--from=a', '--model', 'resNet20'], /--from: expected network, size and .* got --model beside it/],
    [['--from=a', '--normalization', 'notebook'], /got --normalization beside it/],
    [['--from='], /--from: expected a file that training wrote .*, or a run's folder, got none/],
    [['--freeze', 'a'], /--freeze: expected --from beside it: fresh weights are to be learned, got none/],
    [['--from=a', '--freeze', 'a,,b'], /--freeze: expected beginnings of names .* got "a,,b"/],
    [['--resume=a', '--from', 'b'], /--resume: expected only options .* got --from/],
  ];
  for (const [line, message] of refused) assert.throws(() => parseOptions(line), message);
});

test('the help names every option', () => {
  const names = ['model', 'data', 'limit', 'normalization', ...Object.keys(TRAINING_OPTIONS)];
  for (const name of names) assert.match(HELP, new RegExp(`^  --${name}\\b`, 'm'));
});

test('what makes no sense is refused, naming the option, what it wants and what it got', () => {
  for (const name of ['epochs', 'batch-size', 'threads', 'limit', 'early-stopping', 'checkpoint-every']) {
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
  for (const value of ['-1', 'x', '', '1', '1e9', '0x1']) {
    assert.throws(
      () => parseOptions([`--validation-split=${value}`]),
      new RegExp(`--validation-split: expected a number from 0 on, below 1, got ${JSON.stringify(value)}`),
    );
  }
  assert.throws(() => parseOptions(['--learning-rate=0']), /expected a number above 0, got "0"/);
  assert.throws(() => parseOptions(['--engine', 'gpu']), /--engine: expected simd or scalar, got "gpu"/);
  assert.throws(() => parseOptions(['--frob']), /'--frob'/);
  assert.throws(() => parseOptions(['extra']), /'extra'/);
  assert.throws(() => parseOptions(['--seed']), /--seed/);
});

test('what config.json stores brings the run back', () => {
  const options = parseOptions(EVERYTHING.split(' '), now);
  assert.deepEqual(parseOptions(wordsOf(argumentsOf(options)), now), options);
  assert.deepEqual(parseOptions(wordsOf(argumentsOf(parseOptions([], now))), now), parseOptions([], now));
});

test('a run that goes on has its own options; epochs, workers, engine and checkpoints may be others', () => {
  const run = parseOptions(
    '--epochs 3 --batch-size 16 --seed 5 --checkpoint-every 9 --out R'.split(' '),
    now,
  );
  const resume = (line: string) => {
    const args = line.split(' ');
    return resumedOptions(run, parseOptions(args, now), readWords(args));
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
