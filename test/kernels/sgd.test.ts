import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type SgdSpec, sgdFamily } from '../../src/kernels/sgd.ts';
import { sgdTwin } from '../../src/kernels/simd/sgd.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import {
  add,
  assertBounded,
  type Bounded,
  exactly,
  multiply,
  rounded,
  subtract,
} from '../helpers/running-error.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;
const PLAIN: SgdSpec = { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 };

const specs: fc.Arbitrary<SgdSpec> = fc.record({
  kind: fc.constant('sgd' as const),
  momentum: fc.constantFrom(0, 0.5, 0.9, 0.99),
  nesterov: fc.boolean(),
  weightDecay: fc.constantFrom(0, 0, 1e-4, 0.1),
  decoupled: fc.boolean(),
});

interface State {
  readonly param: Float32Array;
  readonly velocity: Float32Array;
}

function step(spec: SgdSpec, state: State, gradient: Float32Array, learningRate: number): State {
  const length = gradient.length;
  const hyper = Float32Array.of(learningRate, Number.NaN, Number.NaN, Number.NaN);
  const arrays = { ...state, gradient, hyper };
  const results = runKernel(sgdFamily, spec, arrays, { count: length, literals: { length } });
  return { ...state, ...results };
}

test('without momentum a step is w - lr g, rounded twice', () => {
  const param = randomValues(1, 100);
  const gradient = randomValues(2, 100);
  const moved = step(PLAIN, { param, velocity: new Float32Array(100) }, gradient, 0.1);
  const expected = param.map((w, i) => f(w - f(f(0.1) * gradient[i]!)));
  assertSameBits(moved.param, expected);
});

test('27: with momentum and a constant gradient, v_t = -lr g (1 - mu^t) / (1 - mu), exactly where f32 is exact', () => {
  const spec: SgdSpec = { ...PLAIN, momentum: 0.5 };
  const gradient = Float32Array.of(1, -3, 8, 0);
  let state: State = { param: new Float32Array(4), velocity: new Float32Array(4) };
  const sums = [0, 0, 0, 0];
  for (let t = 1; t <= 16; t++) {
    state = step(spec, state, gradient, 0.25);
    const velocities = [...gradient].map((g) => (-0.25 * g * (1 - 0.5 ** t)) / 0.5 + 0);
    for (let i = 0; i < 4; i++) {
      assert.equal(state.velocity[i]! + 0, velocities[i]);
      assert.equal(state.param[i]! + 0, sums[i]! + velocities[i]!);
      sums[i]! += velocities[i]!;
    }
  }
});

test('27: with momentum 0.9 and a constant gradient, v_t is within the bound of its t products', (t) => {
  let worst = 0;
  const spec: SgdSpec = { ...PLAIN, momentum: 0.9 };
  const gradient = randomValues(4, 50);
  const mu = f(0.9);
  let state: State = { param: new Float32Array(50), velocity: new Float32Array(50) };
  for (let k = 1; k <= 30; k++) {
    state = step(spec, state, gradient, f(0.1));
    const expected = Float64Array.from(gradient, (g) => (-f(0.1) * g * (1 - mu ** k)) / (1 - mu));
    // Each term of the sum is rounded when made and twice in every later step.
    worst = Math.max(
      worst,
      assertWithin(state.velocity, expected, roundoffBounds(2 * k, expected.map(Math.abs))),
    );
  }
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('Nesterov looks ahead by mu v - lr g: on a constant gradient one step of momentum further', () => {
  const spec: SgdSpec = { ...PLAIN, momentum: 0.5, nesterov: true };
  const gradient = Float32Array.of(1, -3, 8);
  let state: State = { param: new Float32Array(3), velocity: new Float32Array(3) };
  for (let t = 1; t <= 10; t++) {
    const before = state.param;
    state = step(spec, state, gradient, 0.25);
    for (let i = 0; i < 3; i++) {
      const next = (-0.25 * gradient[i]! * (1 - 0.5 ** (t + 1))) / 0.5;
      assert.equal(state.param[i]! - before[i]!, next);
    }
  }
});

test('27: given gradients, 15 steps stay within the running bound of f64', (t) => {
  let worst = 0;
  const cases = fc.record({
    spec: specs,
    seed: fc.nat(2 ** 30),
    learningRate: fc.constantFrom(1, 0.1, 1e-3),
  });
  check(cases, 40, ({ spec, seed, learningRate }) => {
    const length = 5;
    let state: State = { param: randomValues(seed, length, -1, 1), velocity: new Float32Array(length) };
    let params: Bounded[] = [...state.param].map(exactly);
    let velocities: Bounded[] = [...state.velocity].map(exactly);
    const lr = exactly(f(learningRate));
    const mu = rounded(spec.momentum);
    for (let t = 1; t <= 15; t++) {
      const gradient = randomValues(seed + t, length, -2, 2);
      state = step(spec, state, gradient, learningRate);
      const moves = params.map((param, i) => {
        let g = exactly(gradient[i]!);
        if (spec.weightDecay !== 0 && !spec.decoupled) g = add(g, multiply(rounded(spec.weightDecay), param));
        return multiply(lr, g);
      });
      if (spec.momentum !== 0) {
        velocities = velocities.map((v, i) => subtract(multiply(mu, v), moves[i]!));
      }
      if (spec.weightDecay !== 0 && spec.decoupled) {
        params = params.map((param) =>
          subtract(param, multiply(multiply(param, rounded(spec.weightDecay)), lr)),
        );
      }
      params = params.map((param, i) => {
        if (spec.momentum === 0) return subtract(param, moves[i]!);
        const v = velocities[i]!;
        return add(param, spec.nesterov ? subtract(multiply(mu, v), moves[i]!) : v);
      });
      for (let i = 0; i < length; i++) {
        worst = Math.max(worst, assertBounded(state.param[i]!, params[i]!, `step ${t}, param[${i}]`));
        worst = Math.max(
          worst,
          assertBounded(state.velocity[i]!, velocities[i]!, `step ${t}, velocity[${i}]`),
        );
      }
    }
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('weight decay adds the gradient of lambda/2 |w|^2', () => {
  const param = Float32Array.of(1, -2, 0, 4);
  const zero = new Float32Array(4);
  const moved = step({ ...PLAIN, weightDecay: 0.25 }, { param, velocity: zero }, zero, 0.5);
  assertSameBits(moved.param, Float32Array.of(0.875, -1.75, 0, 3.5));
});

test('decoupled decay goes past the momentum: without a gradient w (1 - lr lambda) at every step', () => {
  const spec: SgdSpec = { ...PLAIN, momentum: 0.5, weightDecay: 0.25, decoupled: true };
  const zero = new Float32Array(2);
  let state: State = { param: Float32Array.of(64, -8), velocity: zero };
  for (let t = 0; t < 3; t++) state = step(spec, state, zero, 0.5);
  assertSameBits(state.param, [64 * 0.875 ** 3, -8 * 0.875 ** 3]);
  assertSameBits(state.velocity, [0, 0]);
});

test('the twin of sgd equals the scalar kernel for every variant and length', () => {
  check(fc.record({ spec: specs, length: fc.nat(50), seed: fc.nat() }), 80, ({ spec, length, seed }) => {
    assertTwin(sgdFamily, sgdTwin, spec, { count: length, literals: { length }, seed, specials: true });
  });
});
