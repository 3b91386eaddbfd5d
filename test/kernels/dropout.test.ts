import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { type DropoutBackwardSpec, dropoutBackwardFamily } from '../../src/kernels/dropout-backward.ts';
import { type DropoutForwardSpec, dropoutForwardFamily } from '../../src/kernels/dropout-forward.ts';
import { dropoutBackwardTwin } from '../../src/kernels/simd/dropout-backward.ts';
import { dropoutForwardTwin } from '../../src/kernels/simd/dropout-forward.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { elementWord } from '../../src/math/random.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, specialValues } from '../helpers/arbitraries.ts';
import { imagesCases } from '../helpers/elementwise.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;
const words = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const address = fc.record({
  key0: words,
  key1: words,
  firstSample: fc.oneof(fc.nat(50_000), words),
  low: words,
  high: fc.oneof(fc.constant(0), words),
});
const rates = fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1 - 2 ** -40);
const cases = fc.tuple(imagesCases, address, rates);

type Address = { key0: number; key1: number; firstSample: number; low: number; high: number };

const ANYWHERE: Address = { key0: 1, key1: 2, firstSample: 7, low: 3, high: 0 };

function drop(spec: DropoutForwardSpec, input: Float32Array, count: number, at: Address) {
  const arrays = { input, step: Int32Array.of(at.low, at.high) };
  const { output, mask } = runKernel(dropoutForwardFamily, spec, arrays, { count, literals: { ...at } });
  return { output: output as Float32Array, mask: mask as Float32Array };
}

/** The mask of one sample of a dense batch of `length` elements. */
function maskOf(length: number, rate: number, count: number, at: Address): Float32Array {
  const view = denseView(1, 1, length);
  const spec: DropoutForwardSpec = { kind: 'dropoutForward', rate, input: view, output: view };
  return drop(spec, new Float32Array(count * length), count, at).mask;
}

test('an element is kept where its addressed word reaches the rate, and scaled by 1 / (1 - rate)', () => {
  check(cases, 100, ([subject, at, rate]) => {
    const { views, elements, count, seed } = subject;
    const spec: DropoutForwardSpec = { kind: 'dropoutForward', rate, input: views[0], output: views[1] };
    const input = specialValues(seed, elements);
    const { output, mask } = drop(spec, input, count, at);
    const perSample = elements / Math.max(1, count);
    const expected = input.map((_, i) => {
      const sample = at.firstSample + Math.floor(i / perSample);
      const word = elementWord([at.key0, at.key1], i % perSample, sample, at.low, at.high);
      return word / 2 ** 32 >= Math.floor(rate * 2 ** 32) / 2 ** 32 ? 1 / (1 - rate) : 0;
    });
    assertSameBits(mask, expected, 'mask');
    assertSameBits(
      output,
      input.map((x, i) => f(x * mask[i]!)),
      'output',
    );
  });
});

test('23: the share of kept elements is 1 - rate within 5 standard deviations', (t) => {
  let worst = 0;
  for (const rate of [0.01, 0.25, 0.5, 0.9]) {
    const n = 3 * 20_000;
    const mask = maskOf(20_000, rate, 3, ANYWHERE);
    const keep = 1 - rate;
    const mean = mask.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) / n;
    const bound = 5 * Math.sqrt((keep * rate) / n);
    worst = Math.max(worst, assertWithin([mean], [keep], [bound], `rate ${rate}: kept`));
  }
  t.diagnostic(`largest distance/bound ${worst.toFixed(3)}`);
});

test('a sample’s mask depends on neither its batch nor the layout', () => {
  const together = maskOf(77, 0.5, 4, ANYWHERE);
  const alone = [0, 1, 2, 3].flatMap((n) => [...maskOf(77, 0.5, 1, { ...ANYWHERE, firstSample: 7 + n })]);
  assertSameBits(together, alone);
  const image = denseView(7, 11, 1, 2);
  const spec: DropoutForwardSpec = { kind: 'dropoutForward', rate: 0.5, input: image, output: image };
  assertSameBits(drop(spec, new Float32Array(4 * 77), 4, ANYWHERE).mask, together);
});

test('another key, step or sample is another mask', () => {
  const mask = maskOf(200, 0.5, 1, ANYWHERE).join();
  for (const field of ['key0', 'key1', 'firstSample', 'low', 'high'] as const) {
    assert.notEqual(maskOf(200, 0.5, 1, { ...ANYWHERE, [field]: 9 }).join(), mask, field);
  }
});

test('a word equal to the rate is kept, by kernel and twin', () => {
  const { key0, key1, firstSample, low, high } = ANYWHERE;
  const rate = elementWord([key0, key1], 5, firstSample, low, high) / 2 ** 32;
  const view = denseView(1, 1, 20);
  const spec: DropoutForwardSpec = { kind: 'dropoutForward', rate, input: view, output: view };
  assert.equal(drop(spec, new Float32Array(20), 1, ANYWHERE).mask[5], f(1 / (1 - rate)));
  assertTwin(dropoutForwardFamily, dropoutForwardTwin, spec, {
    count: 1,
    seed: 1,
    literals: { ...ANYWHERE },
    fill: (name, heap, start) => {
      if (name === 'step') heap.i32.set([low, high], start);
    },
  });
});

test('rate 0 is the identity', () => {
  const view = denseView(3, 3, 5);
  const input = specialValues(1, 90);
  const spec: DropoutForwardSpec = { kind: 'dropoutForward', rate: 0, input: view, output: view };
  assertSameBits(drop(spec, input, 2, ANYWHERE).output, input);
});

test('23: the gradient is the same mask times gradOutput, bit for bit, written or added', () => {
  check(cases, 60, ([{ views, elements, count, seed }, at, rate]) => {
    const mask = maskOf(elements / Math.max(1, count), rate, count, at);
    const gradOutput = specialValues(seed, elements);
    const gradInput = specialValues(seed + 1, elements);
    const arrays = { gradOutput, mask, gradInput };
    const product = gradOutput.map((g, i) => g * mask[i]!);
    for (const accumulate of [false, true]) {
      const spec: DropoutBackwardSpec = {
        kind: 'dropoutBackward',
        gradOutput: views[0],
        gradInput: views[1],
        accumulate,
      };
      const result = runKernel(dropoutBackwardFamily, spec, arrays, { count }).gradInput!;
      assertSameBits(result, accumulate ? product.map((p, i) => gradInput[i]! + p) : product);
    }
  });
});

test('the twins equal the scalar kernels, in place too', () => {
  check(cases, 60, ([subject, at, rate]) => {
    const { count, seed, views } = subject;
    const options = {
      count,
      seed,
      specials: seed % 2 === 0,
      literals: { ...at },
      fill: (name: string, heap: { i32: Int32Array }, start: number) => {
        if (name === 'step') heap.i32.set([at.low, at.high], start);
      },
    };
    const forward: DropoutForwardSpec = { kind: 'dropoutForward', rate, input: views[0], output: views[1] };
    assert.ok(assertTwin(dropoutForwardFamily, dropoutForwardTwin, forward, options));
    const forwardInPlace = inPlace(dropoutForwardFamily, dropoutForwardTwin, 'input', 'output');
    assertTwin(forwardInPlace.family, forwardInPlace.twin, { ...forward, output: views[0] }, options);
    const backward = { kind: 'dropoutBackward', gradOutput: views[0], gradInput: views[1] } as const;
    for (const accumulate of [false, true]) {
      const spec = { ...backward, accumulate };
      assert.ok(assertTwin(dropoutBackwardFamily, dropoutBackwardTwin, spec, options));
    }
    const backwardInPlace = inPlace(dropoutBackwardFamily, dropoutBackwardTwin, 'gradOutput', 'gradInput');
    const spec = { ...backward, gradInput: views[0], accumulate: false };
    assertTwin(backwardInPlace.family, backwardInPlace.twin, spec, options);
  });
});

test('rates outside [0, 1) are refused', () => {
  const view = denseView(1, 1, 4);
  for (const rate of [1, -0.1, NaN]) {
    const spec: DropoutForwardSpec = { kind: 'dropoutForward', rate, input: view, output: view };
    const refusal = new ConfigError({
      operation: 'dropoutForward',
      argument: 'rate',
      expected: 'a number from 0 up to but not including 1',
      received: String(rate),
    });
    assert.throws(() => dropoutForwardTwin.emit(spec, BASELINE_TARGET), refusal);
    assert.throws(() => drop(spec, new Float32Array(4), 1, ANYWHERE), refusal);
  }
});
