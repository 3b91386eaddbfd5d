import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import { type AffineWarpSpec, affineWarpFamily } from '../../src/kernels/affine-warp.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { affineWarpTwin } from '../../src/kernels/simd/affine-warp.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomIntegers, randomValues, slacks, slackView, uniforms } from '../helpers/arbitraries.ts';
import { assertSameValues } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { gamma } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const cases = fc
  .record({
    height: fc.integer({ min: 1, max: 8 }),
    width: fc.integer({ min: 1, max: 8 }),
    channels: fc.oneof(fc.constantFrom(1, 2, 3, 3, 3, 4), fc.integer({ min: 5, max: 13 })),
    outHeight: fc.integer({ min: 1, max: 8 }),
    outWidth: fc.integer({ min: 1, max: 8 }),
    from: slacks,
    to: slacks,
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ height, width, channels, outHeight, outWidth, from, to, count, seed }) => {
    const input = slackView(height, width, channels, 0, from);
    const output = slackView(outHeight, outWidth, channels, 0, to);
    const spec: AffineWarpSpec = { kind: 'affineWarp', input, output };
    return { spec, count, seed, elements: count * height * width * channels };
  });

/** Maps as augmentation makes them: near the identity, or turned, shrunk and moved a little beyond the image. */
function randomMatrices(seed: number, count: number): Float32Array {
  const random = uniforms(seed);
  return Float32Array.from({ length: 6 * count }, (_, i) =>
    i % 3 === 2 ? 12 * random() - 4 : 2.4 * random() - 1.2,
  );
}

function warp(spec: AffineWarpSpec, input: Float32Array, matrices: ArrayLike<number>, count: number) {
  return runKernel(affineWarpFamily, spec, { input, matrices: Float32Array.from(matrices) }, { count })
    .output!;
}

/** [H, W, C] with element (y, x, c) taken from `at(y, x)` of an image. */
function rearranged(
  [height, width, channels]: readonly [number, number, number],
  image: Float32Array,
  imageWidth: number,
  at: (y: number, x: number) => readonly [number, number],
): number[] {
  const values: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sy, sx] = at(y, x);
      for (let c = 0; c < channels; c++) values.push(image[(sy * imageWidth + sx) * channels + c]!);
    }
  }
  return values;
}

test('the identity is exact', () => {
  check(cases, 50, ({ spec, count, seed, elements }) => {
    const { input: view } = spec;
    const same: AffineWarpSpec = { ...spec, output: denseView(view.height, view.width, view.channels, 1) };
    const image = randomValues(seed, elements);
    const matrices = Array.from({ length: count }, () => [1, 0, 0, 0, 1, 0]).flat();
    assertSameValues(warp(same, image, matrices, count), image);
  });
});

test('quarter turns, flips and shifts by whole pixels are exact', () => {
  check(cases, 50, ({ spec: { input }, seed }) => {
    const { height, width, channels } = input;
    const image = randomIntegers(seed, height * width * channels, 1000);
    const run = (outHeight: number, outWidth: number, matrix: number[]) =>
      warp({ kind: 'affineWarp', input, output: denseView(outHeight, outWidth, channels) }, image, matrix, 1);
    const expected = (outHeight: number, outWidth: number, at: (y: number, x: number) => [number, number]) =>
      rearranged([outHeight, outWidth, channels], image, width, at);
    const [right, bottom] = [width - 1, height - 1];
    assertSameValues(
      run(height, width, [-1, 0, right, 0, 1, 0]),
      expected(height, width, (y, x) => [y, right - x]),
    );
    assertSameValues(
      run(height, width, [1, 0, 0, 0, -1, bottom]),
      expected(height, width, (y, x) => [bottom - y, x]),
    );
    assertSameValues(
      run(width, height, [0, -1, right, 1, 0, 0]),
      expected(width, height, (y, x) => [x, right - y]),
    );
    assertSameValues(
      run(width, height, [0, 1, 0, -1, 0, bottom]),
      expected(width, height, (y, x) => [bottom - x, y]),
    );
    const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);
    assertSameValues(
      run(height, width, [1, 0, 2, 0, 1, -3]),
      expected(height, width, (y, x) => [clamp(y - 3, bottom), clamp(x + 2, right)]),
    );
  });
});

test('halfway between pixels it gives their mean', () => {
  const spec: AffineWarpSpec = { kind: 'affineWarp', input: denseView(2, 2, 1), output: denseView(1, 1, 1) };
  const image = Float32Array.of(1, 3, 5, 11);
  assertSameValues(warp(spec, image, [0, 0, 0.5, 0, 0, 0], 1), [2]);
  assertSameValues(warp(spec, image, [0, 0, 0, 0, 0, 0.25], 1), [2]);
  assertSameValues(warp(spec, image, [0, 0, 0.5, 0, 0, 0.5], 1), [5]);
});

test('any map agrees with bilinear interpolation in f64', () => {
  check(cases, 100, ({ spec, count, seed }) => {
    const { input, output } = spec;
    const { height, width, channels } = input;
    const random = uniforms(seed);
    const image = Float32Array.from({ length: count * height * width * channels }, () => 2 * random() - 1);
    const m = randomMatrices(seed, count);
    const result = warp(spec, image, m, count);
    let at = 0;
    for (let n = 0; n < count; n++) {
      for (let y = 0; y < output.height; y++) {
        for (let x = 0; x < output.width; x++) {
          const [mx, my] = [m.subarray(6 * n, 6 * n + 3), m.subarray(6 * n + 3, 6 * n + 6)];
          const where = [coordinate(mx, x, y, width), coordinate(my, x, y, height)] as const;
          for (let c = 0; c < channels; c++, at++) {
            const pixel = (py: number, px: number) => image[((n * height + py) * width + px) * channels + c]!;
            const exact = bilinear(pixel, where[0].at, where[1].at, height, width);
            // Pixels are within 1, so interpolation changes by at most 2 a pixel; a lerp of values within 1 rounds
            // differences of at most 2 twice and a sum of at most 1 once: 5 u, and both levels 10 u.
            const bound = 2 * (where[0].error + where[1].error) + gamma(10);
            assert.ok(Math.abs(result[at]! - exact) <= bound, `(${x}, ${y}): ${result[at]} is not ${exact}`);
          }
        }
      }
    }
  });
});

/** The clamped coordinate in f64, and how far f32 may be from it. */
function coordinate(m: Float32Array, x: number, y: number, size: number) {
  const exact = m[0]! * x + m[1]! * y + m[2]!;
  const error = gamma(3) * (Math.abs(m[0]! * x) + Math.abs(m[1]! * y) + Math.abs(m[2]!));
  return { at: Math.min(Math.max(exact, 0), size - 1), error };
}

function bilinear(
  pixel: (y: number, x: number) => number,
  sx: number,
  sy: number,
  height: number,
  width: number,
): number {
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const weight = Math.max(0, 1 - Math.abs(sx - x)) * Math.max(0, 1 - Math.abs(sy - y));
      sum += weight * pixel(y, x);
    }
  }
  return sum;
}

test('coordinates that are NaN or infinite read the first or last row and column', () => {
  const spec: AffineWarpSpec = { kind: 'affineWarp', input: denseView(3, 3, 1), output: denseView(1, 1, 1) };
  const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const read = (sx: number, sy: number) => warp(spec, image, [0, 0, sx, 0, 0, sy], 1)[0];
  assert.equal(read(Number.NaN, Number.NaN), 1);
  assert.equal(read(Number.NaN, 2), 7);
  assert.equal(read(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), 3);
  assert.equal(read(-1e30, 1e30), 7);
});

test('affine warp refuses other channels and images beyond f32', () => {
  const heap = heapOf(new ArrayBuffer(8));
  const input = denseView(4, 4, 3);
  for (const output of [
    denseView(4, 4, 1),
    { ...denseView(1, 1, 3), width: 2 ** 24 },
    { ...input, height: 0 },
  ]) {
    const spec: AffineWarpSpec = { kind: 'affineWarp', input, output };
    assert.throws(() => affineWarpFamily.bind(spec, heap), ShapeError);
    assert.throws(() => affineWarpTwin.emit(spec, BASELINE_TARGET), ShapeError);
  }
});

test('the twin of affine warp equals the scalar kernel and reads nothing outside', () => {
  check(cases, 120, ({ spec, count, seed }) => {
    assertTwin(affineWarpFamily, affineWarpTwin, spec, {
      count,
      seed,
      specials: true,
      fill(name, heap, at, length, random) {
        if (name !== 'matrices' || random() < 0.3) return;
        heap.f32.set(randomMatrices(seed, length / 6), at);
      },
    });
  });
});
