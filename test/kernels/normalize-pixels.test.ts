import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { type NormalizePixelsSpec, normalizePixelsFamily } from '../../src/kernels/normalize-pixels.ts';
import { normalizePixelsTwin } from '../../src/kernels/simd/normalize-pixels.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomValues, slacks, slackView, uniforms } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { add, assertBounded, exactly, multiply, rounded } from '../helpers/running-error.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;

const cases = fc
  .record({
    inputType: fc.constantFrom('uint8' as const, 'float32' as const),
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 17 }),
    channels: fc.constantFrom(1, 2, 3, 3, 4, 5, 8, 13),
    slack: slacks,
    count: fc.nat(3),
    seed: fc.nat(2 ** 30),
  })
  .map(({ height, width, channels, slack, ...rest }) => {
    const random = uniforms(rest.seed);
    const perChannel = () => Array.from({ length: channels }, () => 0.05 + random());
    const output = slackView(height, width, channels, 0, slack);
    return { ...rest, mean: perChannel(), std: perChannel(), output };
  });
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function specOf(
  { inputType, mean, std, output }: Case,
  mode: NormalizePixelsSpec['mode'],
): NormalizePixelsSpec {
  return { kind: 'normalizePixels', inputType, mode, mean, std, output };
}

/** Bytes, or values around 0, in every pixel. */
function pixelsOf({ inputType, output, count, seed }: Case): Float32Array {
  const length = count * output.height * output.width * output.channels;
  if (inputType === 'float32') return randomValues(seed, length, -2, 2);
  const random = uniforms(seed + 1);
  return Float32Array.from({ length }, () => Math.floor(random() * 256));
}

function normalize(subject: Case, mode: NormalizePixelsSpec['mode'], pixels = pixelsOf(subject)) {
  const { output } = runKernel(
    normalizePixelsFamily,
    specOf(subject, mode),
    { pixels },
    { count: subject.count },
  );
  return output!;
}

test("'none' keeps the pixels, 'scale' is the exact quotient by 255, rounded", () => {
  check(cases, 50, (subject) => {
    const pixels = pixelsOf(subject);
    assertSameBits(normalize(subject, 'none'), pixels);
    assertSameBits(
      normalize(subject, 'scale'),
      pixels.map((p) => p / 255),
    );
  });
});

test("'standardize' is (p/255 - mean) / std for bytes, (p - mean) / std for floats, within the bound", () => {
  check(cases, 100, (subject) => {
    const { inputType, mean, std, output } = subject;
    const pixels = pixelsOf(subject);
    const range = inputType === 'uint8' ? 255 : 1;
    normalize(subject, 'standardize').forEach((value, i) => {
      const c = i % output.channels;
      const factor = rounded(1 / (range * std[c]!));
      const expected = add(multiply(exactly(pixels[i]!), factor), rounded(-mean[c]! / std[c]!));
      const plain = (pixels[i]! / range - mean[c]!) / std[c]!;
      assert.ok(Math.abs(expected.value - plain) <= (2 ** -40 * (1 + Math.abs(pixels[i]!))) / std[c]!);
      assertBounded(value, expected, `pixel ${i}`);
    });
  });
});

test("'l2Rows' gives every column of every channel norm 1, and leaves zeros", () => {
  check(cases, 100, (subject) => {
    const {
      output: { height, width, channels },
      count,
    } = subject;
    const pixels = pixelsOf(subject);
    const row = width * channels;
    const column = (of: ArrayLike<number>, n: number, at: number) =>
      Array.from({ length: height }, (_, y) => of[n * height * row + y * row + at]!);
    if (count > 0) for (let y = 0; y < height; y++) pixels[y * row] = 0;
    const result = normalize(subject, 'l2Rows', pixels);
    for (let n = 0; n < count; n++) {
      for (let at = 0; at < row; at++) {
        const before = column(pixels, n, at);
        const after = column(result, n, at);
        const norm = Math.sqrt(before.reduce((sum, p) => sum + p * p, 0));
        if (norm === 0) {
          assertSameBits(after, before);
          continue;
        }
        // The root and the quotient are each rounded once.
        const expected = before.map((p) => p / norm);
        assertWithin(after, expected, roundoffBounds(2, expected.map(Math.abs)));
        const square = after.reduce((sum, v) => sum + v * v, 0);
        assertWithin([square], [1], roundoffBounds(4, [1]));
      }
    }
  });
});

test("'l2Rows' does not depend on the scale of the pixels", () => {
  check(cases, 30, (subject) => {
    const pixels = pixelsOf(subject);
    const doubled = pixels.map((p) => p * 2);
    if (subject.inputType === 'uint8') return;
    assertSameBits(normalize(subject, 'l2Rows', doubled), normalize(subject, 'l2Rows', pixels));
  });
});

test("l2Rows holds the notebook's example: tf.keras.utils.normalize of [[3], [4]] along axis 1", () => {
  const spec: NormalizePixelsSpec = {
    kind: 'normalizePixels',
    inputType: 'uint8',
    mode: 'l2Rows',
    output: denseView(2, 1, 1),
  };
  const { output } = runKernel(normalizePixelsFamily, spec, { pixels: Uint8Array.of(3, 4) });
  assertSameBits(output!, Float32Array.of(f(0.6), f(0.8)));
});

test('standardize refuses a mean or deviation that does not fit the channels', () => {
  const spec: NormalizePixelsSpec = {
    kind: 'normalizePixels',
    inputType: 'uint8',
    mode: 'standardize',
    mean: [0, 0, 0],
    std: [1, 1, 1],
    output: denseView(2, 2, 3),
  };
  const heap = heapOf(new ArrayBuffer(8));
  for (const wrong of [
    { mean: [0, 0] },
    { std: [1, 1, 0] },
    { std: [1, 1, Number.NaN] },
    { std: [1, 1, -1] },
  ]) {
    assert.throws(() => normalizePixelsFamily.bind({ ...spec, ...wrong }, heap), ConfigError);
    assert.throws(() => normalizePixelsTwin.emit({ ...spec, ...wrong }, BASELINE_TARGET), ConfigError);
  }
});

test('the twin of normalize pixels equals the scalar kernel', () => {
  const modes = fc.constantFrom('none' as const, 'standardize' as const, 'l2Rows' as const, 'scale' as const);
  check(fc.tuple(cases, modes), 150, ([subject, mode]) => {
    const { count, seed } = subject;
    const fits = assertTwin(normalizePixelsFamily, normalizePixelsTwin, specOf(subject, mode), {
      count,
      seed,
      specials: true,
    });
    assert.ok(fits, 'a twin for up to 32 channels');
  });
});

test('with hundreds of channels standardize is left to the scalar kernel, the other modes are not', () => {
  const output = denseView(1, 2, 333);
  const ones = new Array<number>(333).fill(1);
  const spec = { kind: 'normalizePixels', inputType: 'uint8', mean: ones, std: ones, output } as const;
  assert.equal(normalizePixelsTwin.emit({ ...spec, mode: 'standardize' }, BASELINE_TARGET), undefined);
  for (const mode of ['none', 'scale', 'l2Rows'] as const) {
    assert.ok(
      assertTwin(normalizePixelsFamily, normalizePixelsTwin, { ...spec, mode }, { count: 2, seed: 1 }),
    );
  }
});
