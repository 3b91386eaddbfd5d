import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import { type AverageViewsSpec, averageViewsFamily } from '../../src/kernels/average-views.ts';
import { type MaximumViewsSpec, maximumViewsFamily } from '../../src/kernels/maximum-views.ts';
import {
  type MaximumViewsBackwardSpec,
  maximumViewsBackwardFamily,
} from '../../src/kernels/maximum-views-backward.ts';
import { type MultiplyViewsSpec, multiplyViewsFamily } from '../../src/kernels/multiply-views.ts';
import { averageViewsTwin } from '../../src/kernels/simd/average-views.ts';
import { maximumViewsTwin } from '../../src/kernels/simd/maximum-views.ts';
import { maximumViewsBackwardTwin } from '../../src/kernels/simd/maximum-views-backward.ts';
import { multiplyViewsTwin } from '../../src/kernels/simd/multiply-views.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView, type View } from '../../src/tensor/view.ts';
import { check, slacks, slackView, specialValues, uniforms } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;

/** One to four inputs and two other images, each with its own gaps. */
const cases = fc
  .record({
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 5 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 40 })),
    gaps: fc.array(slacks, { minLength: 3, maxLength: 6 }),
    accumulate: fc.boolean(),
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ gaps, height, width, channels, ...rest }) => {
    const [one, other, ...inputs] = gaps.map((gap) => slackView(height, width, channels, 0, gap));
    const elements = rest.count * height * width * channels;
    return { ...rest, inputs, one: one!, other: other!, elements };
  });

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Numbers of which many are equal, and some are NaN, infinite or zeros of both signs. */
function tied(seed: number, length: number): Float32Array {
  const next = uniforms(seed);
  const few = [-1, -0, 0, 0, 1, 2, Number.NaN, Infinity, -Infinity];
  return Float32Array.from({ length }, () => few[Math.floor(few.length * next())]!);
}

function arraysOf({ inputs, elements, seed }: Case, draw: (seed: number, length: number) => Float32Array) {
  const values = inputs.map((_, i) => draw(seed + i, elements));
  const named = Object.fromEntries(values.map((array, i) => [`input${i}`, array]));
  const views = Object.fromEntries(inputs.map((view, i) => [`input${i}`, view]));
  return { values, named, views };
}

test('products and means are taken in the order of the inputs; written or added, in any layout', () => {
  check(cases, 100, (subject) => {
    const { inputs, one: output, accumulate, count, seed, elements } = subject;
    const { values, named, views } = arraysOf(subject, specialValues);
    const start = specialValues(seed + 9, elements);
    const arrays = { ...named, ...(accumulate && { output: start }) };
    const expect = (merge: (numbers: number[]) => number) =>
      Float32Array.from({ length: elements }, (_, i) => {
        const merged = merge(values.map((array) => array[i]!));
        return accumulate ? f(start[i]! + merged) : merged;
      });
    const product: MultiplyViewsSpec = { kind: 'multiplyViews', inputs, output, accumulate };
    assertSameBits(
      runKernel(multiplyViewsFamily, product, arrays, { count, views }).output!,
      expect((numbers) => numbers.reduce((a, b) => f(a * b))),
    );
    const divisor = 1 + (seed % 7);
    const mean: AverageViewsSpec = { kind: 'averageViews', inputs, divisor, output, accumulate };
    assertSameBits(
      runKernel(averageViewsFamily, mean, arrays, { count, views }).output!,
      expect((numbers) => f(numbers.reduce((a, b) => f(a + b)) / divisor)),
    );
  });
});

test('the first of the largest counts, the first NaN before all; it alone gets the gradient', () => {
  check(cases, 100, (subject) => {
    const { inputs, one, other, accumulate, count, seed, elements } = subject;
    const { values, named, views } = arraysOf(subject, tied);
    const gradOutput = specialValues(seed + 8, elements);
    const start = specialValues(seed + 9, elements);
    const winners = Array.from({ length: elements }, (_, i) => {
      const numbers = values.map((array) => array[i]!);
      const nan = numbers.findIndex(Number.isNaN);
      return nan >= 0 ? nan : numbers.findIndex((x) => x >= Math.max(...numbers));
    });
    const forward: MaximumViewsSpec = { kind: 'maximumViews', inputs, output: one };
    const { output } = runKernel(maximumViewsFamily, forward, named, { count, views });
    assertSameBits(
      output!,
      winners.map((winner, i) => values[winner]![i]!),
    );
    inputs.forEach((_, index) => {
      const results = runKernel(
        maximumViewsBackwardFamily,
        { kind: 'maximumViewsBackward', inputs, index, gradOutput: one, gradInput: other, accumulate },
        { ...named, gradOutput, gradInput: start },
        { count, views },
      );
      const expected = winners.map((winner, i) => {
        const gradient = winner === index ? gradOutput[i]! : 0;
        return accumulate ? f(start[i]! + gradient) : gradient;
      });
      assertSameBits(results.gradInput!, expected);
    });
  });
});

test('the twins equal the scalar kernels', () => {
  check(cases, 40, (subject) => {
    const { inputs, one, other, accumulate, count, seed } = subject;
    const options = { count, seed, specials: true };
    const many = { inputs, output: one, accumulate };
    assert.ok(
      assertTwin(multiplyViewsFamily, multiplyViewsTwin, { kind: 'multiplyViews', ...many }, options),
    );
    const mean: AverageViewsSpec = { kind: 'averageViews', ...many, divisor: 1 + (seed % 7) };
    assert.ok(assertTwin(averageViewsFamily, averageViewsTwin, mean, options));
    const ties = {
      ...options,
      fill: (name: string, { f32 }: { f32: Float32Array }, at: number, length: number) => {
        if (name.startsWith('input')) f32.set(tied(seed + name.charCodeAt(5), length), at);
      },
    };
    const forward: MaximumViewsSpec = { kind: 'maximumViews', inputs, output: one };
    assert.ok(assertTwin(maximumViewsFamily, maximumViewsTwin, forward, ties));
    const backward: MaximumViewsBackwardSpec = {
      kind: 'maximumViewsBackward',
      inputs,
      index: seed % inputs.length,
      gradOutput: one,
      gradInput: other,
      accumulate,
    };
    assert.ok(assertTwin(maximumViewsBackwardFamily, maximumViewsBackwardTwin, backward, ties));
  });
});

test('images of other sizes are refused, naming the argument', () => {
  const inputs: View[] = [denseView(2, 2, 3), denseView(2, 3, 2)];
  const output = denseView(2, 2, 3);
  const spec: MultiplyViewsSpec = { kind: 'multiplyViews', inputs, output, accumulate: false };
  const refusal = new ShapeError({
    operation: 'multiplyViews',
    argument: 'input1',
    expected: 'images of [2, 2, 3], as in input0',
    received: '[2, 3, 2]',
  });
  assert.throws(() => multiplyViewsTwin.emit(spec, BASELINE_TARGET), refusal);
  const arrays = { input0: new Float32Array(12), input1: new Float32Array(12) };
  assert.throws(() => runKernel(multiplyViewsFamily, spec, arrays), refusal);
});
