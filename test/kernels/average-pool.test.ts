import assert from 'node:assert/strict';
import test from 'node:test';
import { ShapeError } from '../../src/errors.ts';
import {
  type AveragePoolBackwardSpec,
  averagePoolBackwardFamily,
} from '../../src/kernels/average-pool-backward.ts';
import {
  type AveragePoolForwardSpec,
  averagePoolForwardFamily,
} from '../../src/kernels/average-pool-forward.ts';
import { averagePoolBackwardTwin } from '../../src/kernels/simd/average-pool-backward.ts';
import { averagePoolForwardTwin } from '../../src/kernels/simd/average-pool-forward.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { poolWindow } from '../../src/tensor/pooling.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomIntegers, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { absolute } from '../helpers/oracle.ts';
import { averagePool, averagePoolGradient } from '../helpers/oracle-pool.ts';
import { LAYOUTS, type PoolLayout, poolCases } from '../helpers/pool-cases.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;

type Batch = PoolLayout & { readonly count: number };

function forwardSpec({ input, output, window }: PoolLayout, countPadding: boolean): AveragePoolForwardSpec {
  return { kind: 'averagePoolForward', input, output, window, countPadding };
}

function backwardSpec(
  { output, gradInput, window }: PoolLayout,
  countPadding: boolean,
  accumulate: boolean,
): AveragePoolBackwardSpec {
  return { kind: 'averagePoolBackward', gradOutput: output, gradInput, window, countPadding, accumulate };
}

function forward(subject: Batch, countPadding: boolean, input: Float32Array): Float32Array {
  const spec = forwardSpec(subject, countPadding);
  return runKernel(averagePoolForwardFamily, spec, { input }, { count: subject.count })
    .output as Float32Array;
}

function gradient(subject: Batch, countPadding: boolean, gradOutput: Float32Array, start?: Float32Array) {
  const spec = backwardSpec(subject, countPadding, start !== undefined);
  const arrays: Record<string, Float32Array> =
    start === undefined ? { gradOutput } : { gradOutput, gradInput: start };
  return runKernel(averagePoolBackwardFamily, spec, arrays, { count: subject.count })
    .gradInput as Float32Array;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

test('average pooling is within the bound of the oracle, padding counted or not', (t) => {
  let worst = 0;
  check(poolCases(), 150, (subject) => {
    const { geometry, count, seed, inputs, window } = subject;
    const input = randomValues(seed, inputs);
    for (const countPadding of [false, true]) {
      const magnitudes = averagePool(geometry, absolute(input), count, countPadding);
      // One sum less than there are taps, and the division.
      const bounds = roundoffBounds(window.height * window.width, magnitudes);
      const expected = averagePool(geometry, input, count, countPadding);
      worst = Math.max(worst, assertWithin(forward(subject, countPadding, input), expected, bounds));
    }
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('its gradient is within the bound of the oracle, written or added', (t) => {
  let worst = 0;
  check(poolCases(), 150, (subject) => {
    const { geometry, count, seed, inputs, outputs, window } = subject;
    const gradOutput = randomValues(seed, outputs);
    const start = randomValues(seed + 1, inputs);
    // Windows that a pixel lies in at most: a division each, and one sum less.
    const { height, width, strideY, strideX } = window;
    const windows = Math.ceil(height / strideY) * Math.ceil(width / strideX);
    for (const countPadding of [false, true]) {
      const expected = averagePoolGradient(geometry, gradOutput, count, countPadding);
      const magnitudes = averagePoolGradient(geometry, absolute(gradOutput), count, countPadding);
      const written = assertWithin(
        gradient(subject, countPadding, gradOutput),
        expected,
        roundoffBounds(windows, magnitudes),
      );
      const added = assertWithin(
        gradient(subject, countPadding, gradOutput, start),
        expected.map((value, i) => value + start[i]!),
        roundoffBounds(
          windows + 1,
          magnitudes.map((value, i) => value + Math.abs(start[i]!)),
        ),
      );
      worst = Math.max(worst, written, added);
    }
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('a window of ones averages to 1, or to its share inside the image where padding is counted', () => {
  check(poolCases(3), 100, (subject) => {
    const { geometry, count, inputs, outputs, window } = subject;
    const ones = new Float32Array(inputs).fill(1);
    assertSameBits(forward(subject, false, ones), new Float32Array(outputs).fill(1));
    const shares = averagePool(geometry, ones, count, true);
    const taps = window.height * window.width;
    assertSameBits(
      forward(subject, true, ones),
      shares.map((share) => f(Math.round(share * taps) / taps)),
    );
  });
});

test('20: sums: dX = dY where padding is not counted, else dY * inside / taps; exact where the divisors are powers of two', () => {
  const image = denseView(6, 8, 5);
  const outside = { top: 1, right: 1, bottom: 1, left: 1 };
  for (const poolSize of [
    [2, 2],
    [2, 4],
    [4, 2],
  ] as const) {
    const window = poolWindow('test', [6, 8, 5], { poolSize, strides: [1, 2], padding: outside });
    const height = 8 - poolSize[0] + 1;
    const width = Math.floor((10 - poolSize[1]) / 2) + 1;
    const output = denseView(height, width, 5);
    const subject = { window, count: 2, input: image, gradInput: image, output };
    // Multiples of 24 are divided exactly by 1, 2, 3, 4, 6 and 8.
    const gradOutput = randomIntegers(7, 2 * height * width * 5, 20).map((value) => 24 * value);
    const ones = new Float32Array(2 * 6 * 8 * 5).fill(1);
    const total = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0);
    assert.equal(total(gradient(subject, false, gradOutput)), total(gradOutput));
    const inside = forward(subject, true, ones);
    assert.equal(total(gradient(subject, true, gradOutput)), dot(gradOutput, inside));
    assert.notEqual(total(gradient(subject, true, gradOutput)), total(gradOutput));
  }
});

test('24: backward is the adjoint of forward, exactly on integers', () => {
  check(poolCases(4), 100, (subject) => {
    const taps = subject.window.height * subject.window.width;
    // Powers of two times taps divide exactly where padding is counted.
    const input = randomIntegers(subject.seed, subject.inputs, 5).map((value) => value * taps);
    const gradOutput = randomIntegers(subject.seed + 1, subject.outputs, 5).map((value) => value * taps);
    const output = forward(subject, true, input);
    assert.equal(dot(output, gradOutput), dot(input, gradient(subject, true, gradOutput)));
  });
});

test('sums run over taps and over outputs in row-major order, each step rounded', () => {
  const input = denseView(3, 3, 1);
  const output = denseView(2, 2, 1);
  const window = poolWindow('test', [3, 3, 1], { poolSize: 2, strides: 1 });
  const subject = { input, gradInput: input, output, window, count: 1 };
  const image = Float32Array.of(2 ** 24, 1, 1, 1, 1, 2 ** 24, 1, -(2 ** 24), 0);
  const corner = f(f(f(2 ** 24 + 1) + 1) + 1) / 4;
  assert.equal(forward(subject, false, image)[0], corner);
  assert.notEqual(corner, (2 ** 24 + 3) / 4);
  const gradOutput = Float32Array.of(2 ** 26, 4, 4, 4);
  assert.equal(gradient(subject, false, gradOutput)[4], f(f(f(2 ** 24 + 1) + 1) + 1));
});

test('the twins of average pooling equal the scalar kernels', () => {
  check(poolCases(45), 60, (subject) => {
    const options = { count: subject.count, seed: subject.seed, specials: subject.seed % 2 === 0 };
    for (const countPadding of [false, true]) {
      const spec = forwardSpec(subject, countPadding);
      assert.ok(assertTwin(averagePoolForwardFamily, averagePoolForwardTwin, spec, options));
      for (const accumulate of [false, true]) {
        const back = backwardSpec(subject, countPadding, accumulate);
        assert.ok(assertTwin(averagePoolBackwardFamily, averagePoolBackwardTwin, back, options));
      }
    }
  });
});

test('the twins serve every kind of window, and no samples', () => {
  for (const layout of LAYOUTS) {
    for (const count of [0, 2]) {
      const options = { count, seed: 5, specials: true };
      assertTwin(averagePoolForwardFamily, averagePoolForwardTwin, forwardSpec(layout, false), options);
      for (const accumulate of [false, true]) {
        const spec = backwardSpec(layout, false, accumulate);
        assertTwin(averagePoolBackwardFamily, averagePoolBackwardTwin, spec, options);
      }
    }
  }
});

test('NaN and infinities reach the average of their windows', () => {
  check(poolCases(3), 50, (subject) => {
    const { geometry, count, seed, inputs } = subject;
    const input = specialValues(seed, inputs).map((value) => (Number.isFinite(value) ? 1 : value));
    const expected = averagePool(geometry, input, count, false);
    forward(subject, false, input).forEach((value, i) => {
      if (Number.isFinite(expected[i]!)) assert.equal(value, 1);
      else assert.ok(Object.is(value, expected[i]));
    });
  });
});

test('views that do not fit the window are refused, by kernel and twin', () => {
  const window = poolWindow('test', [4, 4, 3], {});
  const spec: AveragePoolForwardSpec = {
    kind: 'averagePoolForward',
    input: denseView(4, 4, 3),
    output: denseView(2, 2, 4),
    window,
    countPadding: false,
  };
  const refusal = new ShapeError({
    operation: 'averagePoolForward',
    argument: 'output',
    expected: 'images of [2, 2, 3]',
    received: '[2, 2, 4]',
  });
  assert.throws(() => runKernel(averagePoolForwardFamily, spec, { input: randomValues(1, 48) }), refusal);
  assert.throws(() => averagePoolForwardTwin.emit(spec, BASELINE_TARGET), refusal);
});
