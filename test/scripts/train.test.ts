/** `npm run train -- --data FOLDER` as its users see it. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { argumentsOf, HELP, parseOptions } from '../../scripts/train/options.ts';
import { TRAINING_OPTIONS, wordsOf } from '../../scripts/training/options.ts';
import { beginWith, openStart } from '../../scripts/training/start.ts';
import { samplesOfRun } from '../../scripts/ui/samples.ts';
import { conv2d, dense, flatten, load, sequential } from '../../src/index.ts';
import { showRun } from '../../src/ui/index.ts';
import { startScript } from '../helpers/command.ts';
import { pngBomb, writeTruncated, writeTwoClasses } from '../helpers/pictures.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const pictures = temporaryFolder();
await writeTwoClasses(pictures, 15);
await writeTruncated(path.join(pictures, 'red', 'half.png'));
writeFileSync(path.join(pictures, 'blue', 'bomb.png'), pngBomb(65_000, 65_000));

const FOLDER = ['--data', pictures];
const TINY = [...FOLDER, '--size', '12x10', '--epochs', '2', '--batch-size', '8'];

async function trained(...args: readonly string[]) {
  const out = path.join(temporaryFolder(), 'run');
  const ended = await startScript('train.ts', [...TINY, '--out', out, ...args]).ended;
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  return { ...ended, out, result: JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8')) };
}

describe('a run on a folder', () => {
  test('trains, lists what it left out, and fills its folder; the bits depend on nothing but data and options', async () => {
    const { stdout, stderr, result, out } = await trained('--threads', '1');
    assert.match(
      stdout,
      /Data: +.*: 2 classes, images of 12 x 10 pixels\n +22 for training, 4 for validation, 4 for the test/,
    );
    assert.match(
      stderr,
      /left out +why\n-+ +-+\n.*bomb\.png +expected at most .* pixels, got more\n.*half\.png +expected a whole/,
    );
    assert.deepEqual(result.classNames, ['blue', 'red']);
    assert.equal(result.skipped.length, 2);
    assert.match(readFileSync(path.join(out, 'report.html'), 'utf8'), /<h1>smallConvNet on /);
    await using model = await load(path.join(out, 'model.safetensors'));
    assert.deepEqual(model.trainedOn?.classNames, ['blue', 'red']);
    assert.equal(model.trainedOn?.resize, 'stretch');
    const other = await trained('--threads', '3', '--cache-mb', '0');
    assert.equal(other.result.weightsSha256, result.weightsSha256);
  });

  test('goes on from its checkpoint', async () => {
    const { out, result } = await trained('--threads', '2', '--grey', '--resize', 'crop');
    const again = await startScript('train.ts', ['--resume', out, '--epochs', '3', '--threads', '1']).ended;
    assert.equal(again.code, 0, again.stderr);
    const more = JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8'));
    assert.equal(more.epochs.length, 3);
    assert.deepEqual(more.epochs.slice(0, 2), result.epochs);
  });

  test('begins with a trained model: its body, a new head; goes on without its file; the page shows samples', async () => {
    const file = path.join(temporaryFolder(), 'trained.safetensors');
    const base = sequential({ inputShape: [9, 8, 3], seed: 2 }, [
      conv2d({ filters: 4, kernelSize: 3, activation: 'relu', name: 'body' }),
      flatten(),
      dense({ units: 3, activation: 'softmax', name: 'head' }),
    ]);
    base.trainedOn = { classNames: ['x', 'y', 'z'], normalization: { kind: 'scale' }, resize: 'pad' };
    await base.save(file);
    const weights = base.getWeights();
    await base.close();
    const out = path.join(temporaryFolder(), 'run');
    const given = ['--data', pictures, '--from', file, '--freeze', 'body', '--epochs', '1', '--threads', '1'];
    const begun = await startScript('train.ts', [...given, '--out', out]).ended;
    assert.equal(begun.code, 0, begun.stderr);
    assert.match(begun.stdout, /^Start: {2}.*trained\.safetensors: head anew for 2 classes; frozen: body$/m);
    rmSync(file);
    const again = await startScript('train.ts', ['--resume', out, '--epochs', '2', '--threads', '2']).ended;
    assert.equal(again.code, 0, again.stderr);
    const { from, freeze, epochs, size } = JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8'));
    assert.deepEqual([from, freeze, epochs.length, size], [file, ['body'], 2, [9, 8]]);
    await using model = await load(path.join(out, 'model.safetensors'));
    assert.deepEqual(model.getWeights()['body/weight'], weights['body/weight']);
    assert.deepEqual(model.trainedOn, {
      classNames: ['blue', 'red'],
      normalization: { kind: 'scale' },
      resize: 'pad',
    });

    const { samples, missing } = await samplesOfRun(out);
    assert.equal(missing, undefined);
    const shown = await showRun(out, { samples: samples! });
    assert.equal(shown.view.samples!.pictures.length, 4);
    assert.match(shown.view.samples!.pictures[0]!.caption!.join(' '), /^(blue|red) \d+%/);
    await shown.close();
    const config = path.join(out, 'config.json');
    const hostile = readFileSync(config, 'utf8').replace(/"file": "/, '"file": "../');
    writeFileSync(config, hostile);
    assert.match((await samplesOfRun(out)).missing!, /samples: expected inputShape, .* files below the data/);
  });

  test('cannot begin with a model of other inputs', async () => {
    const file = path.join(temporaryFolder(), 'vector.safetensors');
    await using model = sequential({ inputShape: [6] }, [dense({ units: 2, name: 'only' })]);
    await model.save(file);
    const vector = await startScript('train.ts', [...FOLDER, '--from', file]).ended;
    assert.deepEqual([vector.code, vector.stdout], [1, '']);
    assert.match(
      vector.stderr,
      /train: --from: expected a model that takes an image .* got .*vector\.safetensors, from \[6\] to \[2\]/,
    );
  });

  test('cannot begin with everything frozen', async () => {
    const file = path.join(temporaryFolder(), 'small.safetensors');
    await using model = sequential({ inputShape: [2, 2, 1] }, [flatten(), dense({ units: 2, name: 'only' })]);
    await model.save(file);
    const options = parseOptions([...FOLDER, '--from', file, '--freeze', 'flat,on']);
    const start = await openStart('train', options);
    await assert.rejects(
      beginWith('train', start!, ['a', 'b'], options),
      /train: --freeze: expected at least one layer with weights that is left to train, got flat,on/,
    );
    await assert.rejects(openStart('train', options, [32, 32, 3]), /image \[32, 32, 3\] .* from \[2, 2, 1\]/);
  });

  test('with --strict fails, naming what cannot be read', async () => {
    const { code, stderr } = await startScript('train.ts', [...TINY, '--strict']).ended;
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^imageFolder: strict: expected pictures .* got 2 that cannot: .*bomb\.png .*half\.png/m,
    );
  });

  test('on a folder without classes, or none, ends with a paragraph', async () => {
    const cases: [string[], number, RegExp][] = [
      [
        ['--data', path.join(pictures, 'red')],
        1,
        /expected a folder for each of two classes or more, got no folder/,
      ],
      [['--data', path.join(pictures, 'x')], 1, /expected a folder that can be read, got ENOENT/],
      [[], 2, /^train: --data: expected a folder with a folder of images for each class, got none\. --help/],
      [['--data', pictures, '--classes', 'red,green'], 1, /got "green" \(there are blue, red\)/],
    ];
    const ends = await Promise.all(cases.map(([args]) => startScript('train.ts', args).ended));
    for (const [i, [, code, message]] of cases.entries()) {
      assert.equal(ends[i]!.code, code, ends[i]!.stderr);
      assert.match(ends[i]!.stderr.trim(), message);
    }
  });
});

describe('the command line', () => {
  test('has help for every option', () => {
    const own = [
      'data',
      'size',
      'resize',
      'grey',
      'classes',
      'test-split',
      'limit',
      'strict',
      'max-pixels',
      'cache-mb',
    ];
    for (const name of [...own, 'model', ...Object.keys(TRAINING_OPTIONS)]) {
      assert.match(HELP, new RegExp(`^  --${name}\\b`, 'm'), name);
    }
  });

  test('comes back from config.json', () => {
    const now = new Date('2026-03-04T05:06:07Z');
    const line =
      '--data D --size 48x64 --grey --resize pad --classes b,a --test-split 0.2 --limit 9 --strict --max-pixels 1000 --cache-mb 5 --model resNet18 --epochs 3';
    const options = parseOptions(line.split(' '), now);
    assert.deepEqual([options.size, options.classes, options.model], [[48, 64], ['b', 'a'], 'resNet18']);
    assert.deepEqual(parseOptions(wordsOf(argumentsOf(options)), now), options);
    const usual = parseOptions(['--data', 'D'], now);
    assert.deepEqual([usual.size, usual.model], [[64, 64], 'smallConvNet']);
    assert.deepEqual(parseOptions(wordsOf(argumentsOf(usual)), now), usual);
  });

  test('refuses sizes that are none', () => {
    for (const size of ['0', '-1', '4097', '3x', 'x', '10x0', '1x2x3', '']) {
      assert.throws(
        () => parseOptions(['--data', 'D', `--size=${size}`]),
        /--size: expected pixels from 1 to 4096/,
      );
    }
  });
});
