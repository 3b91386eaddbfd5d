import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type LionSpec, lionFamily } from '../../src/kernels/lion.ts';
import { lionTwin } from '../../src/kernels/simd/lion.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;
const KERAS: LionSpec = { kind: 'lion', beta1: 0.9, beta2: 0.99, weightDecay: 0 };

function step(
  spec: LionSpec,
  param: Float32Array,
  momentum: Float32Array,
  gradient: Float32Array,
  rate: number,
) {
  const { length } = gradient;
  const arrays = { param, momentum, gradient, hyper: [rate, 0, 0, 0] };
  const results = runKernel(lionFamily, spec, arrays, { count: length, literals: { length } });
  return results as { param: Float32Array; momentum: Float32Array };
}

test('every weight with a gradient moves by the rate, those without stay, whatever the gradient’s size', () => {
  const gradient = Float32Array.of(1e-30, -1e30, 0, -0, 5);
  const param = Float32Array.of(1, 1, 1, -0, 0);
  const moved = step(KERAS, param, new Float32Array(5), gradient, 0.125);
  assertSameBits(moved.param, [0.875, 1.125, 1, -0, -0.125]);
});

test('the direction is that of the blend: a small gradient does not turn a long momentum around', () => {
  const momentum = Float32Array.of(1, 1, -1);
  const moved = step(KERAS, new Float32Array(3), momentum, Float32Array.of(-8, -10, 10), 0.5);
  assertSameBits(moved.param, [-0.5, 0.5, -0.5]);
  assertSameBits(
    moved.momentum,
    [-8, -10, 10].map((g, i) => f(f(f(0.99) * momentum[i]!) + f(f(1 - 0.99) * g))),
  );
});

test('a step is linear in nothing but the rate: scaling all gradients so far changes no weight', () => {
  const gradient = randomValues(3, 100);
  const param = randomValues(4, 100);
  const large = step(
    KERAS,
    param,
    gradient.map((g) => 2 * g),
    gradient.map((g) => -4 * g),
    0.1,
  );
  const small = step(
    KERAS,
    param,
    gradient,
    gradient.map((g) => -2 * g),
    0.1,
  );
  assertSameBits(large.param, small.param);
});

test('without a gradient and with decay w (1 - lr lambda)', () => {
  const none = new Float32Array(2);
  const still = step({ ...KERAS, weightDecay: 0.25 }, Float32Array.of(8, -4), none, none, 0.5);
  assertSameBits(still.param, [7, -3.5]);
});

test('the twin of lion equals the scalar kernel for every length', () => {
  const spec = fc.record({
    kind: fc.constant('lion' as const),
    beta1: fc.constantFrom(0.5, 0.9),
    beta2: fc.constantFrom(0.9, 0.99),
    weightDecay: fc.constantFrom(0, 0.1),
  });
  check(fc.record({ spec, length: fc.nat(50), seed: fc.nat() }), 60, ({ spec, length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assert.ok(assertTwin(lionFamily, lionTwin, spec, options));
  });
});
