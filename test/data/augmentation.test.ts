import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Augmentation,
  affineMatrix,
  augmentationKey,
  checkAugmentation,
  cropAugmentation,
  drawTransform,
  notebookAugmentation,
  type RandomTransform,
  writeAffine,
} from '../../src/data/augmentation.ts';
import { ConfigError } from '../../src/errors.ts';

const SEED = 21;
const key = augmentationKey(SEED);
const still: RandomTransform = { theta: 0, shiftX: 0, shiftY: 0, zoomX: 1, zoomY: 1, flip: false };

function matrix(augmentation: Augmentation, epoch: number, sample: number, height = 32, width = 32) {
  const out = new Float32Array(6);
  affineMatrix(augmentation, key, epoch, sample, height, width, out, 0);
  return out;
}

function mapOf(transform: RandomTransform, height: number, width: number) {
  const m = new Float32Array(6);
  writeAffine(transform, height, width, m, 0);
  return (x: number, y: number) => [m[0]! * x + m[1]! * y + m[2]!, m[3]! * x + m[4]! * y + m[5]!];
}

type Matrix3 = readonly (readonly number[])[];

function multiply(a: Matrix3, b: Matrix3): Matrix3 {
  return a.map((row) => [0, 1, 2].map((j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

/** Keras' composition written out as products of 3x3 matrices, with the platform's own sine. */
function composed(t: RandomTransform, height: number, width: number): number[] {
  const [ox, oy] = [width / 2 - 0.5, height / 2 - 0.5];
  const [c, s] = [Math.cos(t.theta), Math.sin(t.theta)];
  const translate = (x: number, y: number) => [
    [1, 0, x],
    [0, 1, y],
    [0, 0, 1],
  ];
  const rotate = [
    [c, -s, 0],
    [s, c, 0],
    [0, 0, 1],
  ];
  const zoom = [
    [t.zoomX, 0, 0],
    [0, t.zoomY, 0],
    [0, 0, 1],
  ];
  const mirror = [
    [-1, 0, width - 1],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const parts: Matrix3[] = [
    translate(ox, oy),
    rotate,
    translate(t.shiftX, t.shiftY),
    zoom,
    translate(-ox, -oy),
  ];
  if (t.flip) parts.push(mirror);
  return parts.reduce(multiply).slice(0, 2).flat();
}

test('without ranges the map is the identity, bit for bit', () => {
  for (const augmentation of [{}, { zoomRange: 0, rotationRange: 0, horizontalFlip: false }]) {
    assert.deepEqual([...matrix(augmentation, 3, 5)], [1, 0, 0, 0, 1, 0]);
  }
});

test('shifts by whole pixels are whole, and each within the range as likely', () => {
  const counts = new Map<number, number>();
  const n = 9000;
  const out = new Float32Array(6);
  for (let i = 0; i < n; i++) {
    affineMatrix(cropAugmentation, augmentationKey(5), 0, i, 32, 32, out, 0);
    const [xx, , x0, , , y0] = out as unknown as [number, number, number, number, number, number];
    const shift = xx < 0 ? 31 - x0 : x0;
    for (const value of [shift, y0]) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts.keys()].sort((a, b) => a - b),
    [-4, -3, -2, -1, 0, 1, 2, 3, 4],
  );
  // Five standard deviations of a binomial distribution.
  for (const count of counts.values()) assert.ok(Math.abs(count - (2 * n) / 9) < 5 * Math.sqrt((2 * n) / 9));
  const half = drawTransform({ widthShiftRange: 0.9, wholePixels: true }, augmentationKey(5), 0, 0, 1, 1);
  assert.equal(Math.abs(half.shiftX), 0);
});

test('a turn by 90 degrees shows the top right corner at the top left', () => {
  const [x, y] = mapOf({ ...still, theta: Math.PI / 2 }, 32, 32)(0, 0);
  assert.ok(Math.abs(x! - 31) < 1e-5 && Math.abs(y!) < 1e-5, `${x}, ${y}`);
});

test('each part alone does what its name says, on an image that is not square', () => {
  assert.deepEqual(mapOf({ ...still, flip: true }, 5, 9)(0, 3), [8, 3]);
  assert.deepEqual(mapOf({ ...still, flip: true }, 5, 9)(8, 0), [0, 0]);
  assert.deepEqual(mapOf({ ...still, shiftX: 2, shiftY: -1 }, 5, 9)(4, 3), [6, 2]);
  // The centre (4, 2) stays; a factor of 2 looks twice as far from it.
  assert.deepEqual(mapOf({ ...still, zoomX: 2 }, 5, 9)(5, 3), [6, 3]);
  assert.deepEqual(mapOf({ ...still, zoomY: 2 }, 5, 9)(5, 3), [5, 4]);
});

test('the map is the product of the six 3x3 matrices, each entry rounded once', () => {
  const extent = fc.integer({ min: 1, max: 300 });
  const real = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true });
  const transform = fc.record({
    theta: real(7),
    shiftX: real(50),
    shiftY: real(50),
    zoomX: real(2),
    zoomY: real(2),
    flip: fc.boolean(),
  });
  fc.assert(
    fc.property(transform, extent, extent, (t, height, width) => {
      const out = new Float32Array(8);
      writeAffine(t, height, width, out, 1);
      const want = composed(t, height, width);
      // f64: a sum of at most 8 products of magnitudes below 2*300, each within a few ulp.
      const slack = 64 * 2 ** -53 * 2 * (height + width + 100);
      for (let i = 0; i < 6; i++) {
        const error = Math.abs(out[1 + i]! - want[i]!);
        assert.ok(error <= 2 ** -24 * Math.abs(want[i]!) + slack, `m${i}: ${out[1 + i]} for ${want[i]}`);
      }
      assert.deepEqual([out[0], out[7]], [0, 0]);
    }),
    { numRuns: 500, seed: SEED },
  );
});

test('every parameter stays in its range, fills it, and has the mean of a uniform one', () => {
  const n = 4000;
  const draws = Array.from({ length: n }, (_, i) => drawTransform(notebookAugmentation, key, 0, i, 40, 20));
  const degrees = Math.PI / 180;
  const cases: [keyof RandomTransform, number, number][] = [
    ['theta', 0, 30 * degrees],
    ['shiftX', 0, 2],
    ['shiftY', 0, 4],
    ['zoomX', 1, 0.1],
    ['zoomY', 1, 0.1],
  ];
  for (const [name, middle, range] of cases) {
    const values = draws.map((draw) => Number(draw[name]) - middle);
    const reach = Math.max(...values.map(Math.abs));
    const mean = values.reduce((a, b) => a + b) / n;
    assert.ok(reach <= range * (1 + 1e-12) && reach > 0.99 * range, `${name} reaches ${reach}`);
    // Five standard deviations of the mean: range / sqrt(3 n).
    assert.ok(Math.abs(mean) < (5 * range) / Math.sqrt(3 * n), `${name} has mean ${mean}`);
  }
  const flips = draws.filter((draw) => draw.flip).length;
  assert.ok(Math.abs(flips - n / 2) < 2.5 * Math.sqrt(n), `${flips} flips`);
});

test('parameters, samples, epochs and seeds are independent draws', () => {
  const t = drawTransform(notebookAugmentation, key, 0, 0, 32, 32);
  const relative = [
    t.theta / (Math.PI / 6),
    t.shiftX / 3.2,
    t.shiftY / 3.2,
    10 * (t.zoomX - 1),
    10 * (t.zoomY - 1),
  ];
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < i; j++) assert.ok(Math.abs(relative[i]! - relative[j]!) > 1e-9);
  }
  const others = [
    drawTransform(notebookAugmentation, key, 0, 1, 32, 32),
    drawTransform(notebookAugmentation, key, 1, 0, 32, 32),
    drawTransform(notebookAugmentation, key, 2 ** 32, 0, 32, 32),
    drawTransform(notebookAugmentation, augmentationKey(22), 0, 0, 32, 32),
  ];
  for (const other of others) assert.notEqual(other.theta, t.theta);
});

test("a sample's map depends on its address alone, and switching one range moves no other parameter", () => {
  const forward = [0, 1, 2, 3].map((sample) => [...matrix(notebookAugmentation, 7, sample)]);
  const backward = [3, 2, 1, 0].map((sample) => [...matrix(notebookAugmentation, 7, sample)]);
  assert.deepEqual(forward, backward.reverse());
  const { theta } = drawTransform({ rotationRange: 30 }, key, 7, 2, 32, 32);
  assert.equal(theta, drawTransform(notebookAugmentation, key, 7, 2, 32, 32).theta);
});

test('the first map of seed 21 has these bits', () => {
  const bits = new Uint32Array(matrix(notebookAugmentation, 0, 0).buffer);
  const words = [...bits].map((word) => word.toString(16));
  assert.deepEqual(words, ['bf63bb44', 'beab3d99', '4204ee8f', 'beb1269a', '3f5c2244', '40dda9d7']);
});

test('a shift range of 1 or more counts pixels, as in Keras', () => {
  const { shiftX } = drawTransform({ widthShiftRange: 4 }, key, 0, 0, 32, 32);
  const fraction = drawTransform({ widthShiftRange: 0.125 }, key, 0, 0, 32, 32);
  assert.equal(shiftX, fraction.shiftX);
});

test('ranges without sense are refused by name', () => {
  checkAugmentation('fit', notebookAugmentation);
  const wrong: [Augmentation, RegExp][] = [
    [{ rotationRange: -1 }, /rotationRange: expected a finite number, 0 or more, got -1/],
    [{ zoomRange: 1 }, /zoomRange: expected a fraction below 1, got 1/],
    [{ widthShiftRange: Number.NaN }, /widthShiftRange/],
    [{ heightShiftRange: Number.POSITIVE_INFINITY }, /heightShiftRange/],
    [{ horizontalFlip: 1 as unknown as boolean }, /horizontalFlip: expected true or false, got 1/],
  ];
  for (const [augmentation, message] of wrong) {
    assert.throws(
      () => checkAugmentation('fit', augmentation),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  }
});
