/** `npm run predict`, `evaluate` and `inspect` as their users see them. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { conv2d, dense, flatten, imageFolder, sequential } from '../../src/index.ts';
import { startScript } from '../helpers/command.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { pngBomb, writePicture, writeTruncated, writeTwoClasses } from '../helpers/pictures.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 1 });
const folder = temporaryFolder();
const place = (...names: string[]) => path.join(folder, ...names);
const model = place('run', 'model.safetensors');
const pictures = place('pictures');

/** Runs a script, one thread. */
async function command(name: string, ...args: readonly string[]) {
  return startScript(`${name}.ts`, [...args, '--threads', '1']).ended;
}

/** A model that tells red from blue, and one that knows nothing of its data. */
before(async () => {
  await writeTwoClasses(pictures, 12);
  const data = await imageFolder.load(pictures, { imageSize: [9, 8], testSplit: 0 });
  const network = () =>
    sequential({ inputShape: [9, 8, 3], seed: 1 }, [
      conv2d({ filters: 4, kernelSize: 3, activation: 'relu', name: 'first' }),
      flatten(),
      dense({ units: 2, activation: 'softmax' }),
    ]);
  mkdirSync(place('run'));
  await using trained = network();
  await trained.fit(data.train, { engine, epochs: 20, batchSize: 8 });
  await trained.save(model);
  await using bare = network();
  await bare.save(place('bare.safetensors'));
  await using vectors = sequential({ inputShape: [5] }, [dense({ units: 2 })]);
  await vectors.save(place('vectors.safetensors'));
});

describe('predict', () => {
  test('prints a table of the likeliest classes, whatever format and size', async () => {
    await writePicture(place('big.webp'), { width: 300, height: 200, colour: [190, 30, 40] });
    const images = [
      place('big.webp'),
      path.join(pictures, 'blue', '001.png'),
      path.join(pictures, 'red', '000.jpg'),
    ];
    const { code, stdout, stderr } = await command('predict', '--model', place('run'), ...images);
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0]!, /^image +class +probability$/);
    assert.equal(lines.length, 2 + 2 * images.length);
    assert.match(lines[2]!, /big\.webp +red +\d+\.\d%$/);
    assert.match(lines[3]!, /^ +blue +\d+\.\d%$/);
    assert.match(lines[4]!, /001\.png +blue /);
    assert.match(lines[6]!, /000\.jpg +red /);
    for (const line of lines) assert.doesNotMatch(line, /\s$/);
  });

  test('gives JSON', async () => {
    const image = path.join(pictures, 'red', '003.jpg');
    const { code, stdout } = await command('predict', '--model', model, '--json', '--top', '1', image);
    assert.equal(code, 0);
    const { images } = JSON.parse(stdout);
    assert.equal(images[0].image, image);
    assert.deepEqual(images[0].classes.length, 1);
    assert.deepEqual([images[0].classes[0].name, images[0].classes[0].index], ['red', 1]);
  });

  test('answers what it can, says what it cannot, and ends with 1', async () => {
    await writeTruncated(place('half.jpg'));
    writeFileSync(place('bomb.png'), pngBomb(50_000, 50_000));
    const good = path.join(pictures, 'red', '000.jpg');
    const bad = [place('half.jpg'), place('bomb.png'), place('missing.png'), pictures];
    const { code, stdout, stderr } = await command(
      'predict',
      '--model',
      model,
      bad[0]!,
      good,
      ...bad.slice(1),
    );
    assert.equal(code, 1);
    assert.match(stdout, /000\.jpg +red/);
    for (const name of bad) assert.ok(stderr.includes(name), name);
    assert.equal(stderr.trim().split('\n\n').length, bad.length);
  });

  test('says where a model knows nothing of its data, and numbers the classes', async () => {
    const image = path.join(pictures, 'red', '000.jpg');
    const { code, stdout, stderr } = await command('predict', '--model', place('bare.safetensors'), image);
    assert.equal(code, 0);
    assert.match(stderr, /does not say how its images were normalised/);
    assert.match(stdout, / [01] +\d+\.\d%/);
  });

  test('wrong options end with 2 and one line; what is no model with 1', async () => {
    const refused: [string[], number, RegExp][] = [
      [
        ['--model', model],
        2,
        /^predict: IMAGE: expected a file or more, got none\. --help shows all options\.$/,
      ],
      [['--frob', 'x'], 2, /^predict: options: .*'--frob'/],
      [['--model', model, '--top', '0', 'x'], 2, /^predict: --top: expected a whole number from 1 on/],
      [['x.png'], 2, /^predict: --model: expected a file that training wrote/],
      [['--model', place('none'), 'x.png'], 1, /expected to open it, got ENOENT/],
      [['--model', pictures, 'x.png'], 1, /model\.safetensors.*ENOENT/],
      [['--model', path.join(pictures, 'red', '000.jpg'), 'x.png'], 1, /expected a header length/],
      [
        ['--model', place('vectors.safetensors'), 'x.png'],
        1,
        /a model that takes an image .* from \[5\] to \[2\]/,
      ],
    ];
    const ends = await Promise.all(refused.map(([args]) => command('predict', ...args)));
    for (const [i, [, code, message]] of refused.entries()) {
      assert.equal(ends[i]!.code, code, ends[i]!.stderr);
      assert.equal(ends[i]!.stdout, '');
      assert.match(ends[i]!.stderr.trim(), message);
      assert.doesNotMatch(ends[i]!.stderr.trim(), /\n/);
    }
  });

  test('without sharp says what to install', async () => {
    const hook = fileURLToPath(new URL('../helpers/without-native.mjs', import.meta.url));
    const args = ['--model', model, path.join(pictures, 'red', '000.jpg')];
    const { code, stderr } = await startScript('predict.ts', args, ['--import', hook]).ended;
    assert.equal(code, 1);
    assert.match(stderr, /images: packages: expected sharp to be installed, got .* \(npm install sharp\)/);
  });
});

describe('evaluate', () => {
  test('prints loss, accuracy, report and confusion matrix, and writes pictures', async () => {
    const out = place('evaluation');
    const args = ['--model', model, '--data', pictures, '--out', out];
    const { code, stdout, stderr } = await command('evaluate', ...args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Data: +24 images of .*pictures$/m);
    assert.match(stdout, /^Accuracy +\d+\.\d\d%$/m);
    assert.match(stdout, /^ +blue +\d\.\d\d +\d\.\d\d +\d\.\d\d +12$/m);
    assert.match(stdout, /^Confusion matrix \(rows: the truth, columns: the answers\)$/m);
    assert.deepEqual(
      readdirSync(out)
        .filter((name) => name !== 'mistakes.svg')
        .sort(),
      ['classes.svg', 'confusion.svg', 'evaluation.json', 'reliability.svg', 'report.html'],
    );
    const figures = JSON.parse(readFileSync(path.join(out, 'evaluation.json'), 'utf8'));
    assert.equal(figures.images, 24);
    assert.ok(figures.accuracy > 0.9);
  });

  test('leaves out what cannot be read, or fails, if asked', async () => {
    const mixed = place('mixed');
    await writePicture(path.join(mixed, 'red', 'a.png'), { colour: [200, 20, 20] });
    writeFileSync(path.join(mixed, 'red', 'b.png'), 'no picture');
    const { code, stdout, stderr } = await command('evaluate', '--model', model, '--data', mixed, '--json');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Left out: .*b\.png: expected a JPEG, PNG or WebP file, got other content$/m);
    assert.equal(JSON.parse(stdout).images, 1);
    const strict = await command('evaluate', '--model', model, '--data', mixed, '--strict');
    assert.equal(strict.code, 1);
    assert.match(strict.stderr, /strict: expected pictures that can all be read, got 1 that cannot/);
  });

  test('says what does not fit', async () => {
    const strange = place('strange');
    mkdirSync(path.join(strange, 'green'), { recursive: true });
    const cases: [string[], RegExp][] = [
      [['--data', 'synthetic'], /expected a model for CIFAR-10: .*got .*images \[9, 8, 3\] and 2 classes/],
      [['--data', strange], /expected folders of the classes blue, red, got "green"/],
      [['--data', place('nowhere')], /which does not exist/],
    ];
    const ends = await Promise.all(cases.map(([args]) => command('evaluate', '--model', model, ...args)));
    for (const [i, [, message]] of cases.entries()) {
      assert.equal(ends[i]!.code, 1);
      assert.match(ends[i]!.stderr, message);
    }
  });
});

describe('inspect', () => {
  test('draws filters, feature maps and Grad-CAM as PNG', async () => {
    const out = place('inspected');
    const image = path.join(pictures, 'red', '001.png');
    const { code, stdout, stderr } = await command('inspect', '--model', model, '--out', out, image);
    assert.equal(code, 0, stderr);
    const files = ['filters-first.png', 'gradcam.png', 'input.png', 'maps-first.png'];
    assert.deepEqual(readdirSync(out).sort(), files);
    for (const file of files) {
      assert.ok(stdout.includes(path.join(out, file)));
      assert.equal(readFileSync(path.join(out, file)).toString('latin1', 1, 4), 'PNG');
    }
  });

  test('lists the layers, and names them where one is unknown', async () => {
    const list = await command('inspect', '--model', model, '--layers', 'list');
    assert.match(list.stdout, /^first \[7, 6, 4\]$/m);
    const image = path.join(pictures, 'red', '001.png');
    const { code, stderr } = await command('inspect', '--model', model, '--layers', 'last', image);
    assert.equal(code, 1);
    assert.match(stderr, /"?last"?/);
  });
});

test('--help of each is all that it prints', async () => {
  for (const name of ['predict', 'evaluate', 'inspect', 'train']) {
    const { code, stdout, stderr } = await startScript(`${name}.ts`, ['--help']).ended;
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(`npm run ${name} -- `));
    assert.match(stdout, /Exit codes: 0 done/);
    assert.equal(stderr, '');
    for (const line of stdout.split('\n')) assert.ok(line.length <= 120, line);
  }
});
