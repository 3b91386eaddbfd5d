import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { type ScaleViewSpec, scaleViewFamily } from '../../src/kernels/scale-view.ts';
import { scaleViewTwin } from '../../src/kernels/simd/scale-view.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomValues, slacks, slackView, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;

const cases = fc
  .record({
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 70 })),
    from: slacks,
    to: slacks,
    factor: fc.constantFrom(0.25, f(1 / 3), -1, 0, f(1e30)),
    accumulate: fc.boolean(),
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ height, width, channels, from, to, factor, accumulate, count, seed }) => {
    const input = slackView(height, width, channels, 0, from);
    const output = slackView(height, width, channels, 0, to);
    const spec: ScaleViewSpec = { kind: 'scaleView', input, output, factor, accumulate };
    return { spec, count, seed, elements: count * height * width * channels };
  });

test('scale view rounds the product, then the sum, between any two layouts', () => {
  check(cases, 100, ({ spec, count, seed, elements }) => {
    const input = specialValues(seed, elements);
    const before = randomValues(seed + 1, elements);
    const arrays: Record<string, Float32Array> = spec.accumulate ? { input, output: before } : { input };
    const { output } = runKernel(scaleViewFamily, spec, arrays, { count });
    const products = input.map((value) => spec.factor * value);
    const expected = spec.accumulate ? products.map((value, i) => before[i]! + value) : products;
    assertSameBits(output!, expected);
  });
});

test('its twin equals the scalar kernel', () => {
  check(cases, 60, ({ spec, count, seed }) => {
    assert.ok(assertTwin(scaleViewFamily, scaleViewTwin, spec, { count, seed, specials: true }));
  });
});

test('images of another shape, and factors that f32 does not hold, are refused', () => {
  const [input, output] = [denseView(2, 3, 4), denseView(3, 2, 4)];
  const spec = { kind: 'scaleView', input, output, factor: 1, accumulate: false } as const;
  assert.throws(() => scaleViewFamily.bind(spec, heapOf(new ArrayBuffer(8))), ShapeError);
  assert.throws(
    () => scaleViewTwin.emit({ ...spec, output: input, factor: 0.1 }, BASELINE_TARGET),
    ConfigError,
  );
  assert.throws(() => scaleViewTwin.emit({ ...spec, output: input, factor: Infinity }, BASELINE_TARGET), {
    message: 'scaleView: factor: expected a number that f32 holds, got Infinity',
  });
});
