import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { softmaxBackwardTwin } from '../../src/kernels/simd/softmax-backward.ts';
import { softmaxForwardTwin } from '../../src/kernels/simd/softmax-forward.ts';
import { type SoftmaxBackwardSpec, softmaxBackwardFamily } from '../../src/kernels/softmax-backward.ts';
import { type SoftmaxForwardSpec, softmaxForwardFamily } from '../../src/kernels/softmax-forward.ts';
import { denseView, type View } from '../../src/tensor/view.ts';
import { check, randomIntegers, randomNormals, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { imagesCases } from '../helpers/elementwise.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, UNIT_ROUNDOFF } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

function softmax(input: View, output: View, values: Float32Array, count: number): Float32Array {
  const spec: SoftmaxForwardSpec = { kind: 'softmaxForward', input, output };
  return runKernel(softmaxForwardFamily, spec, { input: values }, { count }).output as Float32Array;
}

function rows(values: ArrayLike<number>, channels: number): number[][] {
  return Array.from({ length: values.length / channels }, (_, row) =>
    Array.from({ length: channels }, (_, c) => values[row * channels + c]!),
  );
}

function oracle(logits: readonly number[]): number[] {
  const max = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((e) => e / sum);
}

test('probabilities are the f64 formula, rounded once, and sum to 1 within C u', () => {
  check(imagesCases, 100, ({ views: [input, output], channels, elements, count, seed }) => {
    const logits = randomValues(seed, elements, -3, 2);
    const probabilities = softmax(input, output, logits, count);
    const exact = rows(logits, channels).flatMap(oracle);
    // Rounding; f64 errors of either side, a hundred terms at most.
    const bounds = exact.map((p) => (UNIT_ROUNDOFF + 2 ** -44) * p + 2 ** -150);
    assertWithin(probabilities, exact, bounds);
    for (const row of rows(probabilities, channels)) {
      const sum = row.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) <= channels * UNIT_ROUNDOFF, `sum ${sum}`);
    }
  });
});

test('adding a constant to the logits changes no bit', () => {
  check(fc.tuple(imagesCases, fc.integer({ min: -4096, max: 4096 })), 60, ([subject, shift]) => {
    const { views, elements, count, seed } = subject;
    // Multiples of 1/64 below 2^13 stay exact under the shift.
    const logits = randomIntegers(seed, elements, 2000).map((value) => value / 64);
    const shifted = logits.map((value) => value + shift);
    assertSameBits(softmax(views[0], views[1], shifted, count), softmax(views[0], views[1], logits, count));
  });
});

test('logits of +-1e4 stay finite', () => {
  const view = denseView(1, 1, 3);
  assertSameBits(softmax(view, view, Float32Array.of(1e4, -1e4, 1e4), 1), [0.5, 0, 0.5]);
  assertSameBits(softmax(view, view, Float32Array.of(-1e4, -1e4, -1e4), 1), new Float32Array(3).fill(1 / 3));
});

test('-Infinity is probability 0; NaN and +Infinity spoil their own pixel only', () => {
  const view = denseView(1, 4, 2);
  const logits = Float32Array.of(0, -Infinity, NaN, 1, 1, Infinity, 5, 5);
  assertSameBits(softmax(view, view, logits, 1), [1, 0, NaN, NaN, NaN, NaN, 0.5, 0.5]);
});

function gradient(
  views: readonly [View, View, View],
  p: Float32Array,
  g: Float32Array,
  count: number,
  start?: Float32Array,
) {
  const [output, gradOutput, gradInput] = views;
  const accumulate = start !== undefined;
  const spec: SoftmaxBackwardSpec = { kind: 'softmaxBackward', output, gradOutput, gradInput, accumulate };
  const arrays = { output: p, gradOutput: g, ...(accumulate ? { gradInput: start } : {}) };
  return runKernel(softmaxBackwardFamily, spec, arrays, { count }).gradInput as Float32Array;
}

test('the gradient is p (g - sum g p), rounded once, written or added', () => {
  check(imagesCases, 100, ({ views, channels, elements, count, seed }) => {
    const p = softmax(views[0], views[1], randomNormals(seed, elements), count);
    const g = randomValues(seed + 1, elements);
    const gRows = rows(g, channels);
    const exact = rows(p, channels).flatMap((row, i) => {
      const mean = row.reduce((sum, value, c) => sum + value * gRows[i]![c]!, 0);
      return row.map((value, c) => value * (gRows[i]![c]! - mean));
    });
    // The f64 sum has an error of at most C 2^-53 times the largest |g|.
    const bounds = exact.map((value, i) => {
      const largest = Math.max(...gRows[Math.floor(i / channels)]!.map(Math.abs));
      return UNIT_ROUNDOFF * Math.abs(value) + 2 * (channels + 2) * 2 ** -53 * largest + 2 ** -149;
    });
    const written = gradient(views, p, g, count);
    assertWithin(written, exact, bounds);
    const start = specialValues(seed + 2, elements);
    assertSameBits(
      gradient(views, p, g, count, start),
      written.map((value, i) => start[i]! + value),
    );
  });
});

test('it is the derivative of the forward pass, by central differences in f64', () => {
  const view = denseView(1, 1, 6);
  const views = [view, view, view] as const;
  for (let seed = 1; seed <= 20; seed++) {
    const logits = [...randomNormals(seed, 6)];
    const g = [...randomNormals(seed + 100, 6)].map(Math.fround);
    const p = Float32Array.from(oracle(logits));
    const loss = (x: number[]) => oracle(x).reduce((sum, value, c) => sum + value * g[c]!, 0);
    const h = 6e-6;
    const largest = Math.max(...g.map(Math.abs));
    gradient(views, p, Float32Array.from(g), 1).forEach((value, c) => {
      const moved = (by: number) => loss(logits.map((x, k) => (k === c ? x + by : x)));
      const difference = (moved(h) - moved(-h)) / (2 * h);
      // p's own rounding moves the result by up to 3 u |g|, the last rounding by u |value|; then truncation and roundoff.
      const bound = 4 * UNIT_ROUNDOFF * largest + (h * h + 2 ** -50 / h) * largest;
      assert.ok(Math.abs(value - difference) <= bound, `${value} against ${difference}`);
    });
  }
});

test('the twins equal the scalar kernels, in place too', () => {
  check(fc.tuple(imagesCases, fc.boolean()), 60, ([subject, accumulate]) => {
    const { count, seed, views } = subject;
    const options = { count, seed, specials: seed % 2 === 0 };
    const [a, b, c] = views;
    const forward: SoftmaxForwardSpec = { kind: 'softmaxForward', input: a, output: b };
    assert.ok(assertTwin(softmaxForwardFamily, softmaxForwardTwin, forward, options));
    const backward: SoftmaxBackwardSpec = {
      kind: 'softmaxBackward',
      output: a,
      gradOutput: b,
      gradInput: c,
      accumulate,
    };
    assert.ok(assertTwin(softmaxBackwardFamily, softmaxBackwardTwin, backward, options));
    const forwardInPlace = inPlace(softmaxForwardFamily, softmaxForwardTwin, 'input', 'output');
    assertTwin(forwardInPlace.family, forwardInPlace.twin, { ...forward, output: a }, options);
    for (const source of ['output', 'gradOutput']) {
      const together = inPlace(softmaxBackwardFamily, softmaxBackwardTwin, source, 'gradInput');
      const spec = { ...backward, gradOutput: a, gradInput: a, accumulate: false };
      assertTwin(together.family, together.twin, spec, options);
    }
  });
});
