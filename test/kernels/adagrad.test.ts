import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type AdagradSpec, adagradFamily } from '../../src/kernels/adagrad.ts';
import { adagradTwin } from '../../src/kernels/simd/adagrad.ts';
import { check } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import {
  add,
  assertBounded,
  divide,
  exactly,
  multiply,
  root,
  rounded,
  subtract,
} from '../helpers/running-error.ts';
import { assertTwin } from '../helpers/twin.ts';

const KERAS: AdagradSpec = { kind: 'adagrad', epsilon: 1e-7, weightDecay: 0 };

function step(
  spec: AdagradSpec,
  param: Float32Array,
  accumulator: Float32Array,
  gradient: Float32Array,
  rate: number,
) {
  const { length } = gradient;
  const arrays = { param, accumulator, gradient, hyper: [rate, 0, 0, 0] };
  const results = runKernel(adagradFamily, spec, arrays, { count: length, literals: { length } });
  return results as { param: Float32Array; accumulator: Float32Array };
}

test('on a constant gradient from 0 the t-th step is lr / sqrt(t)', () => {
  let state: ReturnType<typeof step> = { param: new Float32Array(2), accumulator: new Float32Array(2) };
  let params = [exactly(0), exactly(0)];
  const gradient = Float32Array.of(4, -0.5);
  for (let t = 1; t <= 50; t++) {
    state = step({ ...KERAS, epsilon: 0 }, state.param, state.accumulator, gradient, 0.125);
    params = params.map((param, i) => {
      const g = exactly(gradient[i]!);
      return subtract(param, divide(multiply(exactly(0.125), g), root(exactly(t * gradient[i]! ** 2))));
    });
    for (let i = 0; i < 2; i++) {
      assert.equal(state.accumulator[i], t * gradient[i]! ** 2);
      assertBounded(state.param[i]!, params[i]!, `step ${t}`);
    }
  }
});

test('epsilon stands inside the root; decay is w (1 - lr lambda)', () => {
  const none = new Float32Array(1);
  const moved = step({ ...KERAS, epsilon: 5 }, none, Float32Array.of(2), Float32Array.of(3), 0.5);
  assertBounded(
    moved.param[0]!,
    subtract(exactly(0), divide(exactly(1.5), root(add(exactly(11), rounded(5))))),
    'w',
  );
  const still = step({ ...KERAS, weightDecay: 0.25 }, Float32Array.of(8), Float32Array.of(1), none, 0.5);
  assertSameBits(still.param, [7]);
});

test('the twin of adagrad equals the scalar kernel for every length', () => {
  const spec = fc.record({
    kind: fc.constant('adagrad' as const),
    epsilon: fc.constantFrom(1e-7, 0.1),
    weightDecay: fc.constantFrom(0, 0.1),
  });
  check(fc.record({ spec, length: fc.nat(50), seed: fc.nat() }), 60, ({ spec, length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assert.ok(assertTwin(adagradFamily, adagradTwin, spec, options));
  });
});
