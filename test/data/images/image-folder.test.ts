import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createBatchBuffer } from '../../../src/data/dataset.ts';
import { measureStandardization } from '../../../src/data/normalization.ts';
import {
  ConfigError,
  DataError,
  type Dataset,
  imageFiles,
  imageFolder,
  labelsOf,
} from '../../../src/index.ts';
import { pngBomb, writePicture, writeTruncated, writeTwoClasses } from '../../helpers/pictures.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const folder = temporaryFolder();
const COUNT = 20;
await writeTwoClasses(folder, COUNT);
const options = { imageSize: [8, 8], seed: 3, validationSplit: 0.2, testSplit: 0.1 } as const;

async function allOf(dataset: Dataset) {
  const buffer = createBatchBuffer(dataset, dataset.size);
  await dataset.read(
    Uint32Array.from({ length: dataset.size }, (_, i) => i),
    buffer,
  );
  return { inputs: [...buffer.inputs], targets: [...buffer.targets] };
}

describe('a folder of classes', () => {
  test('becomes three data sets with the same share of each class', async () => {
    const data = await imageFolder.load(folder, options);
    assert.deepEqual(data.classNames, ['blue', 'red']);
    assert.deepEqual([data.train.size, data.validation.size, data.test.size], [28, 8, 4]);
    for (const part of [data.train, data.validation, data.test]) {
      const labels = await labelsOf(part);
      assert.equal(labels.filter((label) => label === 0).length, part.size / 2);
      assert.deepEqual(part.inputShape, [8, 8, 3]);
      const { inputs, targets } = await allOf(part);
      // Red ones are red, blue ones blue.
      targets.forEach((label, i) => {
        const [r, , b] = inputs.slice(i * 192, i * 192 + 3);
        assert.equal(label, r! > b! ? 1 : 0);
      });
    }
    assert.deepEqual([data.skipped, data.ignored], [[], 0]);
  });

  test('is the same whatever fits into memory, and another one with another seed', async () => {
    const first = await imageFolder.load(folder, options);
    const again = await imageFolder.load(folder, { ...options, cacheBytes: 0 });
    const some = await imageFolder.load(folder, { ...options, cacheBytes: 5 * 192 });
    const other = await imageFolder.load(folder, { ...options, seed: 4 });
    const expected = await allOf(first.train);
    assert.deepEqual(await allOf(again.train), expected);
    assert.deepEqual(await allOf(some.train), expected);
    assert.notDeepEqual(await allOf(other.train), expected);
    assert.deepEqual(again.normalization, first.normalization);
  });

  test('is standardised by its training pictures, exactly', async () => {
    const { train, normalization } = await imageFolder.load(folder, options);
    const { inputs } = await allOf(train);
    const all = Uint32Array.from({ length: train.size }, (_, i) => i);
    assert.deepEqual(normalization, measureStandardization(Uint8Array.from(inputs), 192, 3, all));
    assert.deepEqual(train.normalization, normalization);
    const scaled = await imageFolder.load(folder, { ...options, normalization: { kind: 'scale' } });
    assert.deepEqual(scaled.train.normalization, { kind: 'scale' });
  });

  test('may name its classes in any order, and some only', async () => {
    const { classNames, train } = await imageFolder.load(folder, { ...options, classNames: ['red', 'blue'] });
    assert.deepEqual(classNames, ['red', 'blue']);
    assert.deepEqual(train.classNames, ['red', 'blue']);
    await assert.rejects(
      imageFolder.load(folder, { classNames: ['red', 'green'] }),
      /classNames: expected folders in .*, got "green" \(there are blue, red\)/,
    );
    await assert.rejects(
      imageFolder.load(folder, { classNames: ['red', 'red'] }),
      /each name once, got "red"/,
    );
  });

  test('in grey, at most so many', async () => {
    const { train, test: held } = await imageFolder.load(folder, { ...options, channels: 1, limit: 5 });
    assert.deepEqual([train.inputShape, train.size, held.size], [[8, 8, 1], 5, 4]);
  });

  test('tells how far it is', async () => {
    const told: number[] = [];
    await imageFolder.load(folder, { ...options, onProgress: ({ read }) => told.push(read) });
    assert.deepEqual(
      told,
      Array.from({ length: 2 * COUNT }, (_, i) => i + 1),
    );
  });
});

describe('parts of their own', () => {
  test('are taken as they are; what is missing is set aside', async () => {
    const whole = temporaryFolder();
    await writeTwoClasses(path.join(whole, 'train'), 10);
    await writeTwoClasses(path.join(whole, 'test'), 3);
    const data = await imageFolder.load(whole, options);
    assert.deepEqual([data.train.size, data.validation.size, data.test.size], [16, 4, 6]);
    await writeTwoClasses(path.join(whole, 'val'), 2);
    const more = await imageFolder.load(whole, options);
    assert.deepEqual([more.train.size, more.validation.size, more.test.size], [20, 4, 6]);
  });
});

describe('what cannot be read', () => {
  const broken = temporaryFolder();
  const place = (...names: string[]) => path.join(broken, ...names);

  test('is left out and listed, or an error, if asked', async () => {
    await writeTwoClasses(broken, 4);
    await writeTruncated(place('red', 'half.jpg'));
    writeFileSync(place('blue', 'bomb.png'), pngBomb(65_000, 65_000));
    writeFileSync(place('blue', 'notes.txt'), 'not a picture');
    writeFileSync(place('blue', '.hidden.png'), '');
    await writePicture(place('blue', 'deeper', 'one.png'));
    if (process.platform !== 'win32') symlinkSync(broken, place('red', 'loop'));
    const data = await imageFolder.load(broken, { ...options, validationSplit: 0, testSplit: 0 });
    assert.equal(data.train.size, 9);
    assert.deepEqual(
      data.skipped.map(({ file }) => path.relative(broken, file)),
      [path.join('blue', 'bomb.png'), path.join('red', 'half.jpg')],
    );
    assert.match(data.skipped[0]!.reason, /^expected at most 67,108,864 pixels, got more$/);
    assert.equal(data.ignored, process.platform === 'win32' ? 1 : 2);
    await assert.rejects(
      imageFolder.load(broken, { ...options, strict: true }),
      (error) =>
        error instanceof DataError &&
        /2 that cannot: .*bomb\.png \(expected at most .* pixels, got more\), .*half\.jpg/.test(
          error.message,
        ),
    );
  });

  test('when it vanishes in the middle of a run, is an error that names it', async () => {
    await writePicture(place('red', 'gone.png'));
    const data = await imageFolder.load(broken, {
      ...options,
      validationSplit: 0,
      testSplit: 0,
      cacheBytes: 0,
    });
    rmSync(place('red', 'gone.png'));
    await assert.rejects(allOf(data.train), /gone\.png: expected a file that can be read, got ENOENT/);
  });

  test('or is nothing at all', async () => {
    const none = temporaryFolder();
    await assert.rejects(
      imageFolder.load(path.join(none, 'x')),
      /x: expected a folder that can be read, got ENOENT/,
    );
    await assert.rejects(
      imageFolder.load(none),
      /expected a folder for each of two classes or more, got no folder \(put the pictures/,
    );
    mkdirSync(path.join(none, 'a'));
    await assert.rejects(imageFolder.load(none), /got one, a/);
    mkdirSync(path.join(none, 'b'));
    await assert.rejects(imageFolder.load(none), /in each class, got none in a, b/);
    await assert.rejects(imageFolder.load(folder, { imageSize: [0, 4] }), ConfigError);
    await assert.rejects(
      imageFolder.load(folder, { validationSplit: 0.5, testSplit: 0.5 }),
      /leave something/,
    );
  });
});

describe('imageFiles', () => {
  test('refuses what makes no sense', () => {
    const make = (more: object) => () => imageFiles(['a', 'b'], { inputShape: [4, 4, 3], ...more } as never);
    assert.throws(make({ inputShape: [4, 4, 2] }), /3 channels or 1, got 2/);
    assert.throws(make({ labels: [1] }), /labels: expected 2, one a file, got 1/);
    assert.throws(make({ labels: [0, 2], classes: 2 }), /label of sample 1/);
    assert.throws(make({ resize: 'bend' }), /'stretch', 'crop' or 'pad', got bend/);
    assert.throws(make({ cacheBytes: -1 }), /cacheBytes/);
  });
});
