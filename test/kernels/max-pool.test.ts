import assert from 'node:assert/strict';
import test from 'node:test';
import { ShapeError } from '../../src/errors.ts';
import {
  type ActivationBackwardSpec,
  activationBackwardFamily,
} from '../../src/kernels/activation-backward.ts';
import { type MaxPoolBackwardSpec, maxPoolBackwardFamily } from '../../src/kernels/max-pool-backward.ts';
import { type MaxPoolForwardSpec, maxPoolForwardFamily } from '../../src/kernels/max-pool-forward.ts';
import { maxPoolBackwardTwin } from '../../src/kernels/simd/max-pool-backward.ts';
import { maxPoolForwardTwin } from '../../src/kernels/simd/max-pool-forward.ts';
import { poolWindow } from '../../src/tensor/pooling.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomIntegers, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { maxPool, maxPoolGradient } from '../helpers/oracle-pool.ts';
import { LAYOUTS, type PoolLayout, poolCases } from '../helpers/pool-cases.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;

function forwardSpec({ input, output, window }: PoolLayout): MaxPoolForwardSpec {
  return { kind: 'maxPoolForward', input, output, window };
}

function backwardSpec(
  { input, output, gradInput, window }: PoolLayout,
  end: 'written' | 'accumulated' | 'gated',
): MaxPoolBackwardSpec {
  const views = { input, gradOutput: output, gradInput };
  const [accumulate, gated] = [end === 'accumulated', end === 'gated'];
  return { kind: 'maxPoolBackward', ...views, window, accumulate, gated };
}

function gradient(
  subject: PoolLayout & { readonly count: number },
  input: Float32Array,
  gradOutput: Float32Array,
  start?: Float32Array,
) {
  const spec = backwardSpec(subject, start === undefined ? 'written' : 'accumulated');
  const arrays = { input, gradOutput, ...(start === undefined ? {} : { gradInput: start }) };
  return runKernel(maxPoolBackwardFamily, spec, arrays, { count: subject.count }).gradInput!;
}

/** Few distinct values, so that windows hold ties, of +0 and -0 among others. */
function tiedValues(seed: number, length: number): Float32Array {
  return randomIntegers(seed, length, 2).map((value) => (value === -2 ? -0 : value));
}

test('max pooling equals the oracle bit for bit, NaN and zeros of both signs included', () => {
  check(poolCases(), 200, (subject) => {
    for (const input of [
      specialValues(subject.seed, subject.inputs),
      tiedValues(subject.seed, subject.inputs),
    ]) {
      const { output } = runKernel(
        maxPoolForwardFamily,
        forwardSpec(subject),
        { input },
        { count: subject.count },
      );
      assertSameBits(output!, maxPool(subject.geometry, input, subject.count).output);
    }
  });
});

test('19: gradients go to the first maximum, exactly on integers, and none is lost', () => {
  check(poolCases(), 200, (subject) => {
    const { geometry, count, seed, inputs, outputs } = subject;
    for (const input of [specialValues(seed, inputs), tiedValues(seed, inputs)]) {
      const gradOutput = randomIntegers(seed + 1, outputs, 9);
      const gradInput = gradient(subject, input, gradOutput);
      assertSameValues(gradInput, maxPoolGradient(geometry, input, gradOutput, count));
      const total = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0);
      assert.equal(total(gradInput as Float32Array), total(gradOutput));
    }
  });
});

test('gradients that meet are added in the order of outputs, from +0 or from what is there', () => {
  check(poolCases(), 200, (subject) => {
    const { geometry, count, seed, inputs, outputs } = subject;
    const input = tiedValues(seed, inputs);
    const gradOutput = specialValues(seed + 1, outputs);
    const start = specialValues(seed + 2, inputs);
    const fromZero = new Float32Array(inputs);
    const fromStart = start.slice();
    maxPool(geometry, input, count).from.forEach((to, o) => {
      fromZero[to] = f(fromZero[to]! + gradOutput[o]!);
      fromStart[to] = f(fromStart[to]! + gradOutput[o]!);
    });
    assertSameBits(gradient(subject, input, gradOutput), fromZero);
    assertSameBits(gradient(subject, input, gradOutput, start), fromStart);
  });
});

test('19: the first NaN of a window is its maximum and takes the gradient', () => {
  const window = poolWindow('test', [1, 4, 1], { poolSize: [1, 4] });
  const input = denseView(1, 4, 1);
  const subject = { input, gradInput: input, output: denseView(1, 1, 1), window, count: 1 };
  const values = Float32Array.of(Infinity, NaN, 7, NaN);
  const { output } = runKernel(maxPoolForwardFamily, forwardSpec(subject), { input: values });
  assertSameBits(output!, [NaN]);
  assertSameBits(gradient(subject, values, Float32Array.of(3)), [0, 3, 0, 0]);
});

test('a gated gradient is the plain one through the gradient of the ReLU in front, bit for bit', () => {
  check(poolCases(), 60, (subject) => {
    const { input: view, gradInput, count, seed } = subject;
    const input = tiedValues(seed, subject.inputs).map((value) => Math.max(0, value));
    const gradOutput = specialValues(seed + 1, subject.outputs);
    const arrays = { input, gradOutput };
    const gated = runKernel(maxPoolBackwardFamily, backwardSpec(subject, 'gated'), arrays, { count });
    const plain = runKernel(maxPoolBackwardFamily, backwardSpec(subject, 'written'), arrays, { count });
    const relu: ActivationBackwardSpec = {
      kind: 'activationBackward',
      function: 'relu',
      alpha: 1,
      saved: view,
      gradOutput: gradInput,
      gradInput,
      accumulate: false,
    };
    const through = { saved: input, gradOutput: plain.gradInput! };
    const expected = runKernel(activationBackwardFamily, relu, through, { count });
    assertSameBits(gated.gradInput!, expected.gradInput!);
  });
});

test('the twins of max pooling equal the scalar kernels', () => {
  check(poolCases(45), 60, (subject) => {
    const options = { count: subject.count, seed: subject.seed, specials: subject.seed % 2 === 0 };
    const tied: typeof assertTwin = (family, twin, spec, o) =>
      assertTwin(family, twin, spec, {
        ...o,
        fill: (name, { f32 }, at, length) => {
          if (name === 'input') f32.set(tiedValues(o.seed, length), at);
        },
      });
    for (const compare of [assertTwin, tied]) {
      assert.ok(compare(maxPoolForwardFamily, maxPoolForwardTwin, forwardSpec(subject), options));
      for (const end of ['written', 'accumulated', 'gated'] as const) {
        const spec = backwardSpec(subject, end);
        assert.ok(compare(maxPoolBackwardFamily, maxPoolBackwardTwin, spec, options));
      }
    }
  });
});

test('the twins serve every kind of window, and no samples', () => {
  for (const layout of LAYOUTS) {
    for (const count of [0, 2]) {
      const options = { count, seed: 5, specials: true };
      assertTwin(maxPoolForwardFamily, maxPoolForwardTwin, forwardSpec(layout), options);
      for (const end of ['written', 'accumulated', 'gated'] as const) {
        assertTwin(maxPoolBackwardFamily, maxPoolBackwardTwin, backwardSpec(layout, end), options);
      }
    }
  }
});

test('views that do not fit the window are refused, by kernel and twin', () => {
  const window = poolWindow('test', [4, 4, 3], {});
  const input = denseView(4, 4, 3);
  const forward: MaxPoolForwardSpec = { kind: 'maxPoolForward', input, output: denseView(2, 3, 3), window };
  const refusal = new ShapeError({
    operation: 'maxPoolForward',
    argument: 'output',
    expected: 'images of [2, 2, 3]',
    received: '[2, 3, 3]',
  });
  assert.throws(() => runKernel(maxPoolForwardFamily, forward, { input: randomValues(1, 48) }), refusal);
  assert.throws(() => maxPoolForwardTwin.emit(forward, { pairs: false, accumulators: 8 }), refusal);
  const gradOutput = denseView(2, 2, 3);
  const backward: MaxPoolBackwardSpec = {
    kind: 'maxPoolBackward',
    input,
    gradOutput,
    gradInput: denseView(4, 4, 2),
    window,
    accumulate: false,
  };
  assert.throws(
    () => maxPoolBackwardTwin.emit(backward, { pairs: false, accumulators: 8 }),
    /gradInput: expected/,
  );
});
