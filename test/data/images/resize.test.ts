import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Pixels, resizeInto } from '../../../src/data/images/resize.ts';
import type { Resize } from '../../../src/index.ts';

function resized(image: Pixels, height: number, width: number, mode: Resize): Uint8Array {
  const target = new Uint8Array(2 + height * width * image.channels + 2).fill(77);
  resizeInto(image, height, width, mode, target, 2);
  assert.deepEqual([...target.subarray(0, 2), ...target.subarray(-2)], [77, 77, 77, 77]);
  return target.slice(2, -2);
}

function picture(width: number, height: number, channels: number, byte: (i: number) => number): Pixels {
  return {
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, (_, i) => byte(i)),
  };
}

const noise = (width: number, height: number, channels = 3) =>
  picture(width, height, channels, (i) => (i * 7919 + ((i * i) % 251)) % 256);

/** The definition, in two dimensions at once, a weight a source pixel. */
function byDefinition(image: Pixels, height: number, width: number, box: readonly number[]): Float64Array {
  const [left, top, w, h] = box as [number, number, number, number];
  const tent = (distance: number, reach: number) => Math.max(0, 1 - Math.abs(distance) / reach);
  const [sx, sy] = [w / width, h / height];
  return Float64Array.from({ length: height * width * image.channels }, (_, i) => {
    const [c, x, y] = [
      i % image.channels,
      Math.floor(i / image.channels) % width,
      Math.floor(i / image.channels / width),
    ];
    let [sum, total] = [0, 0];
    for (let v = 0; v < image.height; v++) {
      for (let u = 0; u < image.width; u++) {
        const weight =
          tent(u + 0.5 - (left + (x + 0.5) * sx), Math.max(1, sx)) *
          tent(v + 0.5 - (top + (y + 0.5) * sy), Math.max(1, sy));
        sum += weight * image.data[(v * image.width + u) * image.channels + c]!;
        total += weight;
      }
    }
    return sum / total;
  });
}

describe('resizing', () => {
  test('is the mean under triangles, rounded', () => {
    const size = fc.integer({ min: 1, max: 12 });
    const property = fc.property(size, size, size, size, fc.constantFrom(1, 3), (w, h, ow, oh, channels) => {
      const image = noise(w, h, channels);
      const expected = byDefinition(image, oh, ow, [0, 0, w, h]);
      const found = resized(image, oh, ow, 'stretch');
      // Half a level of rounding, and the last bits of two orders of summing.
      found.forEach((value, i) => {
        assert.ok(Math.abs(value - expected[i]!) <= 0.5 + 1e-9, `${value} and ${expected[i]}`);
      });
    });
    fc.assert(property, { seed: 6, numRuns: 100 });
  });

  test('to its own size changes nothing, in any mode', () => {
    const image = noise(7, 5);
    for (const mode of ['stretch', 'crop', 'pad'] as const) {
      assert.deepEqual(resized(image, 5, 7, mode), image.data);
    }
  });

  test('of one colour stays of that colour', () => {
    for (const [w, h, ow, oh] of [
      [1, 1, 9, 4],
      [640, 3, 5, 5],
      [13, 17, 17, 13],
    ] as const) {
      const image = picture(w, h, 3, (i) => [3, 128, 255][i % 3]!);
      for (const mode of ['stretch', 'crop'] as const) {
        resized(image, oh, ow, mode).forEach((value, i) => {
          assert.equal(value, [3, 128, 255][i % 3]);
        });
      }
    }
  });

  test('by cropping shows the middle in its proportions', () => {
    const image = noise(12, 6, 1);
    const expected = byDefinition(image, 3, 3, [3, 0, 6, 6]);
    resized(image, 3, 3, 'crop').forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) <= 0.5 + 1e-9);
    });
  });

  test('by padding shows all of it between black', () => {
    const image = picture(8, 4, 1, () => 200);
    const rows = [0, 200, 200, 0].map((value) => new Array(4).fill(value));
    assert.deepEqual([...resized(image, 4, 4, 'pad')], rows.flat());
    const tall = picture(1, 1000, 1, () => 9);
    assert.deepEqual([...resized(tall, 1, 5, 'pad')], [0, 0, 9, 0, 0]);
  });
});
