import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type AdamSpec, adamFamily, adamStepSize } from '../../src/kernels/adam.ts';
import { adamTwin } from '../../src/kernels/simd/adam.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import {
  add,
  assertBounded,
  type Bounded,
  divide,
  exactly,
  multiply,
  root,
  rounded,
  subtract,
} from '../helpers/running-error.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const KERAS: AdamSpec = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

const specs: fc.Arbitrary<AdamSpec> = fc.record({
  kind: fc.constant('adam' as const),
  beta1: fc.constantFrom(0, 0.5, 0.9),
  beta2: fc.constantFrom(0.5, 0.99, 0.999),
  epsilon: fc.constantFrom(1e-7, 1e-3),
  weightDecay: fc.constantFrom(0, 0, 0.004, 0.1),
});

interface State {
  readonly param: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

function start(param: Float32Array): State {
  const zeros = () => new Float32Array(param.length);
  return { param, firstMoment: zeros(), secondMoment: zeros() };
}

function step(spec: AdamSpec, state: State, gradient: Float32Array, learningRate: number, t: number): State {
  const length = gradient.length;
  const alpha = adamStepSize(learningRate, spec.beta1, spec.beta2, t);
  const hyper = Float32Array.of(alpha, learningRate, Number.NaN, Number.NaN);
  const arrays = { ...state, gradient, hyper };
  return runKernel(adamFamily, spec, arrays, { count: length, literals: { length } }) as unknown as State;
}

test('27: the first step is lr g / (|g| + epsilon / sqrt(1 - beta2))', (t) => {
  const gradient = randomValues(3, 200);
  const { param } = step(KERAS, start(new Float32Array(200)), gradient, 0.001, 1);
  const expected = Float64Array.from(
    gradient,
    (g) => (-0.001 * g) / (Math.abs(g) + KERAS.epsilon / Math.sqrt(1 - KERAS.beta2)),
  );
  // Numerator: 1 - beta1, its product, alpha, its product: 4. Denominator: 1 - beta2, g*g, their product, halved by
  // the root; the root, epsilon, the sum: 4.5. And the quotient.
  const worst = assertWithin(param, expected, roundoffBounds(10, expected.map(Math.abs)));
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('27: given gradients, 15 steps stay within the running bound of f64', (t) => {
  let worst = 0;
  const cases = fc.record({ spec: specs, seed: fc.nat(2 ** 30), learningRate: fc.constantFrom(0.1, 1e-3) });
  check(cases, 40, ({ spec, seed, learningRate }) => {
    const length = 5;
    let state = start(randomValues(seed, length, -1, 1));
    let params: Bounded[] = [...state.param].map(exactly);
    let firsts: Bounded[] = params.map(() => exactly(0));
    let seconds: Bounded[] = params.map(() => exactly(0));
    for (let t = 1; t <= 15; t++) {
      const gradient = randomValues(seed + t, length, -2, 2);
      state = step(spec, state, gradient, learningRate, t);
      const gs = [...gradient].map(exactly);
      firsts = firsts.map((m, i) => add(m, multiply(subtract(gs[i]!, m), rounded(1 - spec.beta1))));
      seconds = seconds.map((v, i) =>
        add(v, multiply(subtract(multiply(gs[i]!, gs[i]!), v), rounded(1 - spec.beta2))),
      );
      const alpha = rounded((learningRate * Math.sqrt(1 - spec.beta2 ** t)) / (1 - spec.beta1 ** t));
      params = params.map((param, i) => {
        const decay = multiply(multiply(param, rounded(spec.weightDecay!)), rounded(learningRate));
        const decayed = spec.weightDecay === 0 ? param : subtract(param, decay);
        const scale = add(root(seconds[i]!), rounded(spec.epsilon));
        return subtract(decayed, divide(multiply(alpha, firsts[i]!), scale));
      });
      for (let i = 0; i < length; i++) {
        worst = Math.max(
          worst,
          assertBounded(state.firstMoment[i]!, firsts[i]!, `step ${t}, firstMoment[${i}]`),
        );
        worst = Math.max(
          worst,
          assertBounded(state.secondMoment[i]!, seconds[i]!, `step ${t}, secondMoment[${i}]`),
        );
        worst = Math.max(worst, assertBounded(state.param[i]!, params[i]!, `step ${t}, param[${i}]`));
      }
    }
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('27: without a gradient AdamW only decays: w (1 - lr lambda)', (t) => {
  let worst = 0;
  const param = randomValues(5, 50);
  const spec: AdamSpec = { ...KERAS, weightDecay: 0.1 };
  const moved = step(spec, start(param), new Float32Array(50), 0.01, 1).param;
  const exact = (w: number) =>
    subtract(exactly(w), multiply(multiply(exactly(w), rounded(0.1)), rounded(0.01)));
  param.forEach((w, i) => {
    assert.ok(Math.abs(exact(w).value - w * (1 - 0.1 * 0.01)) <= 2 ** -50 * Math.abs(w));
    worst = Math.max(worst, assertBounded(moved[i]!, exact(w), `param[${i}]`));
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

/** floor(sqrt(value)) of a large integer (Newton's iteration from above). */
function integerRoot(value: bigint): bigint {
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** beta^t as an integer over 2^(55 t): exact for any double from 2^-2 to 1. */
function exactPower(beta: number, t: number): { numerator: bigint; one: bigint } {
  return { numerator: BigInt(beta * 2 ** 55) ** BigInt(t), one: 1n << BigInt(55 * t) };
}

test('the step size agrees with exact rational arithmetic', () => {
  for (const [beta1, beta2] of [
    [0.9, 0.999],
    [0.5, 0.99],
    [0.99, 0.9999],
  ] as const) {
    for (const t of [1, 2, 3, 7, 10, 31, 64, 100, 255]) {
      const first = exactPower(beta1, t);
      const second = exactPower(beta2, t);
      const scale = 1n << 100n;
      const left = Number(integerRoot(((second.one - second.numerator) * scale * scale) / second.one));
      const right = Number(((first.one - first.numerator) * scale) / first.one);
      // A power errs by t roundings of f64, relative to 1 - beta^t by as much more as beta^t is larger.
      const relative = (beta: number) => t * 2 ** -52 * (beta ** t / (1 - beta ** t)) + 2 ** -53;
      const bound = relative(beta1) + relative(beta2) / 2 + 4 * 2 ** -53;
      const expected = left / right;
      const received = adamStepSize(1, beta1, beta2, t);
      assert.ok(
        Math.abs(received - expected) <= bound * expected,
        `beta ${beta1}, ${beta2}, t ${t}: ${received}`,
      );
    }
  }
});

test('the step size starts at its closed form and ends at the learning rate', () => {
  assert.equal(adamStepSize(0.001, 0.9, 0.999, 1), (0.001 * Math.sqrt(1 - 0.999)) / (1 - 0.9));
  assert.equal(adamStepSize(0.001, 0.9, 0.999, 1e6), 0.001);
  assert.equal(adamStepSize(0.5, 0, 0.75, 1), 0.25);
});

test('the twin of adam equals the scalar kernel for every length', () => {
  check(fc.record({ spec: specs, length: fc.nat(50), seed: fc.nat() }), 80, ({ spec, length, seed }) => {
    assertTwin(adamFamily, adamTwin, spec, { count: length, literals: { length }, seed, specials: true });
  });
});
