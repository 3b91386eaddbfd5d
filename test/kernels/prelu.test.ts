import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type PreluBackwardSpec, preluBackwardFamily } from '../../src/kernels/prelu-backward.ts';
import { type PreluForwardSpec, preluForwardFamily } from '../../src/kernels/prelu-forward.ts';
import { preluBackwardTwin } from '../../src/kernels/simd/prelu-backward.ts';
import { preluForwardTwin } from '../../src/kernels/simd/prelu-forward.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomIntegers, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { type ImagesCase, imagesCases } from '../helpers/elementwise.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;

function forwardSpec({ views: [input, output] }: Pick<ImagesCase, 'views'>): PreluForwardSpec {
  return { kind: 'preluForward', input, output };
}

function backwardSpec(
  { views }: Pick<ImagesCase, 'views'>,
  accumulate: boolean,
  accumulateAlpha: boolean,
): PreluBackwardSpec {
  const [input, gradOutput, gradInput] = views;
  return { kind: 'preluBackward', input, gradOutput, gradInput, accumulate, accumulateAlpha };
}

test('values from 0 on pass, others are multiplied by their channel’s alpha', () => {
  check(imagesCases, 100, (subject) => {
    const input = specialValues(subject.seed, subject.elements);
    const alpha = randomValues(subject.seed + 1, subject.channels);
    const { output } = runKernel(
      preluForwardFamily,
      forwardSpec(subject),
      { input, alpha },
      { count: subject.count },
    );
    const expected = input.map((x, i) => (x < 0 ? f(alpha[i % subject.channels]! * x) : x));
    assertSameBits(output!, expected);
  });
});

test('gradients are written or added; alpha’s is one sum a channel in the order of pixels', () => {
  check(fc.tuple(imagesCases, fc.boolean(), fc.boolean()), 100, ([subject, accumulate, accumulateAlpha]) => {
    const { seed, elements, channels, count } = subject;
    const input = specialValues(seed, elements);
    const gradOutput = specialValues(seed + 1, elements);
    const alpha = randomValues(seed + 2, channels);
    const start = {
      gradInput: specialValues(seed + 3, elements),
      gradAlpha: randomValues(seed + 4, channels),
    };
    const spec = backwardSpec(subject, accumulate, accumulateAlpha);
    const results = runKernel(preluBackwardFamily, spec, { input, gradOutput, alpha, ...start }, { count });
    const gradAlpha = accumulateAlpha ? start.gradAlpha.slice() : new Float32Array(channels);
    const gradInput = input.map((x, i) => {
      const c = i % channels;
      if (!(x > 0)) gradAlpha[c] = gradAlpha[c]! + f(x * gradOutput[i]!);
      const value = x > 0 ? gradOutput[i]! : f(alpha[c]! * gradOutput[i]!);
      return accumulate ? f(start.gradInput[i]! + value) : value;
    });
    assertSameBits(results.gradInput!, gradInput, 'gradInput');
    assertSameBits(results.gradAlpha!, gradAlpha, 'gradAlpha');
  });
});

test('alpha’s gradient is within the bound of the f64 sum', () => {
  check(imagesCases, 60, (subject) => {
    const { seed, elements, channels, count } = subject;
    const input = randomValues(seed, elements);
    const gradOutput = randomValues(seed + 1, elements);
    const exact = new Float64Array(channels);
    const magnitudes = new Float64Array(channels);
    input.forEach((x, i) => {
      exact[i % channels]! += x < 0 ? x * gradOutput[i]! : 0;
      magnitudes[i % channels]! += x < 0 ? Math.abs(x * gradOutput[i]!) : 0;
    });
    const arrays = { input, gradOutput, alpha: randomValues(seed + 2, channels) };
    const spec = backwardSpec(subject, false, false);
    const { gradAlpha } = runKernel(preluBackwardFamily, spec, arrays, { count });
    assertWithin(gradAlpha!, exact, roundoffBounds(Math.max(1, elements / channels), magnitudes));
  });
});

test('it is linear in alpha: differences are exact on integers', () => {
  const view = denseView(3, 4, 5);
  const input = randomIntegers(1, 120, 20);
  const gradOutput = randomIntegers(2, 120, 20);
  const alpha = randomIntegers(3, 5, 4);
  const loss = (slopes: Float32Array) => {
    const spec: PreluForwardSpec = { kind: 'preluForward', input: view, output: view };
    const { output } = runKernel(preluForwardFamily, spec, { input, alpha: slopes }, { count: 2 });
    return (output as Float32Array).reduce((sum, y, i) => sum + y * gradOutput[i]!, 0);
  };
  const spec = backwardSpec({ views: [view, view, view] }, false, false);
  const { gradAlpha } = runKernel(preluBackwardFamily, spec, { input, alpha, gradOutput }, { count: 2 });
  gradAlpha!.forEach((g, c) => {
    const moved = (by: number) => loss(alpha.map((a, k) => (k === c ? a + by : a)));
    assert.equal((moved(1) - moved(-1)) / 2, g);
  });
});

test('the twins equal the scalar kernels, in place too', () => {
  check(fc.tuple(imagesCases, fc.boolean(), fc.boolean()), 60, ([subject, accumulate, accumulateAlpha]) => {
    const options = { count: subject.count, seed: subject.seed, specials: subject.seed % 2 === 0 };
    const backward = backwardSpec(subject, accumulate, accumulateAlpha);
    assert.ok(assertTwin(preluForwardFamily, preluForwardTwin, forwardSpec(subject), options));
    assert.ok(assertTwin(preluBackwardFamily, preluBackwardTwin, backward, options));
    const [view] = subject.views;
    const same = { ...subject, views: [view, view, view] as const };
    const forwardInPlace = inPlace(preluForwardFamily, preluForwardTwin, 'input', 'output');
    assertTwin(forwardInPlace.family, forwardInPlace.twin, forwardSpec(same), options);
    const inGradient = inPlace(preluBackwardFamily, preluBackwardTwin, 'gradOutput', 'gradInput');
    assertTwin(inGradient.family, inGradient.twin, backwardSpec(same, false, accumulateAlpha), options);
  });
});
