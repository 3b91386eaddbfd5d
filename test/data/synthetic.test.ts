import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createBatchBuffer } from '../../src/data/dataset.ts';
import { drawSyntheticImages, SYNTHETIC_CLASSES, syntheticImages } from '../../src/data/synthetic.ts';
import { SYNTHETIC_SHAPES } from '../../src/data/synthetic-shapes.ts';
import { ConfigError } from '../../src/errors.ts';

const IMAGE_BYTES = 3072;
const variation = { thickness: 0.5, pattern: 0.3, phase: 0.2 };

test('an image depends on seed, split and index alone', () => {
  const long = drawSyntheticImages({ size: 40, seed: 5, split: 'train' });
  const short = drawSyntheticImages({ size: 20, seed: 5, split: 'train' });
  assert.deepEqual(long.pixels.subarray(0, short.pixels.length), short.pixels);
  const others = [
    drawSyntheticImages({ size: 20, seed: 5, split: 'test' }),
    drawSyntheticImages({ size: 20, seed: 6, split: 'train' }),
  ];
  for (const other of others) {
    const equal = short.pixels.filter((value, i) => value === other.pixels[i]).length;
    assert.ok(equal < 0.05 * short.pixels.length, `${equal} of ${short.pixels.length} bytes agree`);
  }
});

test('the first images of seed 0 have these bytes', () => {
  const { pixels } = drawSyntheticImages({ size: 20, seed: 0, split: 'train' });
  assert.equal(
    createHash('sha256').update(pixels).digest('hex'),
    '01cc8017821d12f5d63deeea45f4ea2745f197f0e19f8d2eea613bd8a422c361',
  );
});

test('ten classes share the images equally, and no two images are the same', () => {
  const { pixels, labels } = drawSyntheticImages({ size: 500, seed: 0, split: 'test' });
  const images = new Set<string>();
  const counts = new Array<number>(10).fill(0);
  for (const [i, label] of labels.entries()) {
    counts[label]!++;
    images.add(Buffer.from(pixels.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES)).toString('latin1'));
  }
  assert.deepEqual(counts, new Array(10).fill(50));
  assert.equal(images.size, 500);
});

test('mean colours tell nothing of the class', () => {
  const size = 2000;
  const { pixels, labels } = drawSyntheticImages({ size, seed: 0, split: 'train' });
  const means = Array.from({ length: size }, (_, i) => {
    const image = pixels.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES);
    return image.reduce((a, b) => a + b, 0) / IMAGE_BYTES;
  });
  const overall = means.reduce((a, b) => a + b) / size;
  const std = Math.sqrt(means.reduce((sum, m) => sum + (m - overall) * (m - overall), 0) / size);
  for (let label = 0; label < 10; label++) {
    const own = means.filter((_, i) => labels[i] === label);
    const mean = own.reduce((a, b) => a + b) / own.length;
    const error = Math.abs(mean - overall);
    assert.ok(error < (4 * std) / Math.sqrt(own.length), `${SYNTHETIC_CLASSES[label]}: ${error}`);
  }
});

test('as a data set it is read like any other, from shared memory', async () => {
  const dataset = syntheticImages({ size: 30, seed: 1, split: 'train', normalization: { kind: 'scale' } });
  const into = createBatchBuffer(dataset, 2);
  await dataset.read(new Uint32Array([29, 13]), into);
  assert.deepEqual([...into.targets], [9, 3]);
  const { pixels } = drawSyntheticImages({ size: 30, seed: 1, split: 'train' });
  assert.ok(pixels.buffer instanceof SharedArrayBuffer);
  assert.deepEqual(into.inputs.slice(0, IMAGE_BYTES), pixels.slice(29 * IMAGE_BYTES));
  assert.deepEqual(dataset.classNames, SYNTHETIC_CLASSES);
  assert.throws(() => syntheticImages({ size: -1, seed: 0, split: 'train' }), ConfigError);
});

test('every shape fills a sensible part of its box and keeps inside the radius that is painted', () => {
  for (const shape of SYNTHETIC_SHAPES) {
    let inside = 0;
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 100; j++) {
        if (shape.distance((i - 49.5) / 50, (j - 49.5) / 50, variation) < 0) inside++;
      }
      for (const [u, v] of [
        [1.02, i / 50 - 1],
        [-1.02, i / 50 - 1],
        [i / 50 - 1, 1.02],
        [i / 50 - 1, -1.02],
      ]) {
        assert.ok(shape.distance(u!, v!, variation) > 0, `${shape.name} reaches (${u}, ${v})`);
      }
    }
    assert.ok(inside > 1200 && inside < 7000, `${shape.name} covers ${inside} of 10000`);
  }
});

test('the star is the same after a fifth of a turn, with one tip straight up', () => {
  const star = SYNTHETIC_SHAPES.find((shape) => shape.name === 'star')!;
  const turned = (u: number, v: number, degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return star.distance(c * u - s * v, s * u + c * v, variation);
  };
  for (let i = 0; i < 200; i++) {
    const [u, v] = [Math.sin(i) * 1.2, Math.sin(i * 1.7) * 1.2];
    for (const degrees of [72, 144, 216, 288]) {
      assert.ok(Math.abs(turned(u, v, degrees) - turned(u, v, 0)) < 1e-12);
    }
  }
  assert.ok(Math.abs(star.distance(0, -1, variation)) < 1e-12);
  assert.ok(star.distance(0, 1, variation) > 0.1);
});
