import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import {
  type PoolWindow,
  poolOutputSize,
  poolWindow,
  tapRange,
  windowsCover,
  windowsOverlap,
} from '../../src/tensor/pooling.ts';
import { check } from '../helpers/arbitraries.ts';

const NO_PADDING = { top: 0, right: 0, bottom: 0, left: 0 };

test('the default is 2x2 side by side, as in Keras', () => {
  assert.deepEqual(poolWindow('maxPooling2d', [32, 32, 3], {}), {
    height: 2,
    width: 2,
    strideY: 2,
    strideX: 2,
    padding: NO_PADDING,
  });
});

test("'same' gives ceil(size / stride) outputs, the odd pixel of padding at the bottom right", () => {
  const window = poolWindow('maxPooling2d', [7, 8, 1], { poolSize: 3, strides: 2, padding: 'same' });
  assert.deepEqual(poolOutputSize(window, 7, 8), [4, 4]);
  assert.deepEqual(window.padding, { top: 1, right: 1, bottom: 1, left: 0 });
});

test('a window larger than the padded image is refused', () => {
  assert.throws(
    () => poolWindow('maxPooling2d "pool"', [3, 5, 4], { poolSize: 4 }),
    new ShapeError({
      operation: 'maxPooling2d "pool"',
      argument: 'input shape',
      expected: 'an image of at least [4, 4] pixels with its padding',
      received: '[3, 5]',
      hint: "use padding: 'same' or a smaller poolSize",
    }),
  );
});

test('padding as wide as the window is refused', () => {
  assert.throws(
    () => poolWindow('maxPooling2d', [5, 5, 1], { poolSize: 2, padding: { ...NO_PADDING, bottom: 3 } }),
    new ShapeError({
      operation: 'maxPooling2d',
      argument: 'padding',
      expected: 'a window of [2, 2] that always covers part of the image',
      received: 'padding [0, 0, 3, 0] (top, right, bottom, left)',
      hint: 'pad by less than the window on each side',
    }),
  );
});

test('senseless options are refused', () => {
  assert.throws(() => poolWindow('maxPooling2d', [4, 4, 1], { poolSize: 0 }), ConfigError);
  assert.throws(() => poolWindow('maxPooling2d', [4, 4, 1], { strides: 1.5 }), ConfigError);
  assert.throws(() => poolWindow('maxPooling2d', [4, 4], {}), ShapeError);
});

const axis = fc.record({
  extent: fc.integer({ min: 1, max: 9 }),
  size: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 6 }),
  before: fc.nat(5),
  after: fc.nat(5),
});

/** For each pixel of one axis, how many windows hold it; and how many windows hold no pixel. */
function countTaps(window: PoolWindow, extent: number): { hits: number[]; empty: number } {
  const hits = new Array<number>(extent).fill(0);
  let empty = 0;
  for (let at = 0; at < poolOutputSize(window, extent, 1)[0]; at++) {
    let taps = 0;
    for (let k = 0; k < window.height; k++) {
      const y = at * window.strideY - window.padding.top + k;
      if (y < 0 || y >= extent) continue;
      hits[y]! += 1;
      taps += 1;
    }
    const [from, to] = tapRange(at, window.height, window.strideY, window.padding.top, extent);
    assert.equal(Math.max(0, to - from), taps);
    if (taps === 0) empty += 1;
  }
  return { hits, empty };
}

/** The window that slides down a column, or along a row. */
function alongAxis(
  across: boolean,
  { size, stride, before, after }: { size: number; stride: number; before: number; after: number },
): PoolWindow {
  const down = { height: size, width: 1, strideY: stride, strideX: 1 };
  if (!across) return { ...down, padding: { ...NO_PADDING, top: before, bottom: after } };
  return {
    ...{ height: 1, width: size, strideY: 1, strideX: stride },
    padding: { ...NO_PADDING, left: before, right: after },
  };
}

test('ranges, overlap, cover and refusals agree with counting taps one by one, on either axis', () => {
  check(axis, 2000, ({ extent, ...shape }) => {
    const column = alongAxis(false, shape);
    const { hits, empty } = countTaps(column, extent);
    for (const across of [false, true]) {
      const window = alongAxis(across, shape);
      const [height, width] = across ? [1, extent] : [extent, 1];
      const options = {
        poolSize: [window.height, window.width],
        strides: [window.strideY, window.strideX],
        padding: window.padding,
      } as const;
      if (empty > 0 || poolOutputSize(column, extent, 1)[0] < 1) {
        assert.throws(() => poolWindow('test', [height!, width!, 1], options), ShapeError);
        continue;
      }
      assert.deepEqual(poolWindow('test', [height!, width!, 1], options), window);
      assert.equal(
        windowsCover(window, height!, width!),
        hits.every((n) => n > 0),
      );
      if (hits.some((n) => n > 1)) assert.ok(windowsOverlap(window));
      if (windowsOverlap(window)) assert.ok(shape.stride < shape.size);
    }
  });
});
