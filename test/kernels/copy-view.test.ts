import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import { type CopyViewSpec, copyViewFamily } from '../../src/kernels/copy-view.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { copyViewTwin } from '../../src/kernels/simd/copy-view.ts';
import { denseView, type View } from '../../src/tensor/view.ts';
import { check, randomValues, slacks, slackView, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const cases = fc
  .record({
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 70 })),
    from: slacks,
    to: slacks,
    accumulate: fc.boolean(),
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ height, width, channels, from, to, accumulate, count, seed }) => {
    const input = slackView(height, width, channels, 0, from);
    const output = slackView(height, width, channels, 0, to);
    const spec: CopyViewSpec = { kind: 'copyView', input, output, accumulate };
    return { spec, count, seed, elements: count * height * width * channels };
  });

test('copy view moves every pixel between any two layouts, or adds it', () => {
  check(cases, 100, ({ spec, count, seed, elements }) => {
    const input = specialValues(seed, elements);
    const before = randomValues(seed + 1, elements);
    const arrays: Record<string, Float32Array> = spec.accumulate ? { input, output: before } : { input };
    const { output } = runKernel(copyViewFamily, spec, arrays, { count });
    const expected = spec.accumulate ? input.map((value, i) => before[i]! + value) : input;
    assertSameBits(output!, expected);
  });
});

test('slices of channels, copied side by side, are a concatenation', () => {
  const { f32, ...heap } = heapOf(new ArrayBuffer(4096));
  const left = randomValues(1, 2 * 3 * 2);
  const right = randomValues(2, 2 * 3 * 3);
  f32.set(left, 0);
  f32.set(right, 100);
  const joined = denseView(2, 3, 5);
  const slice = (channels: number): View => ({ ...joined, channels });
  const copy = (channels: number) =>
    copyViewFamily.bind(
      { kind: 'copyView', input: denseView(2, 3, channels), output: slice(channels), accumulate: false },
      { f32, ...heap },
    );
  copy(2)(0, 4 * 200, 1);
  copy(3)(4 * 100, 4 * 202, 1);
  for (let pixel = 0; pixel < 6; pixel++) {
    const expected = [...left.slice(2 * pixel, 2 * pixel + 2), ...right.slice(3 * pixel, 3 * pixel + 3)];
    assertSameBits(f32.slice(200 + 5 * pixel, 205 + 5 * pixel), expected);
  }
});

test('copy view refuses images of another shape', () => {
  const spec: CopyViewSpec = {
    kind: 'copyView',
    input: denseView(2, 3, 4),
    output: denseView(3, 2, 4),
    accumulate: false,
  };
  assert.throws(() => copyViewFamily.bind(spec, heapOf(new ArrayBuffer(8))), ShapeError);
  assert.throws(() => copyViewTwin.emit(spec, { pairs: false, accumulators: 8 }), ShapeError);
});

test('the twin of copy view equals the scalar kernel', () => {
  check(cases, 60, ({ spec, count, seed }) => {
    assertTwin(copyViewFamily, copyViewTwin, spec, { count, seed, specials: true });
  });
});
