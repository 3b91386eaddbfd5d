import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type RmspropSpec, rmspropFamily } from '../../src/kernels/rmsprop.ts';
import { rmspropTwin } from '../../src/kernels/simd/rmsprop.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;
const KERAS: RmspropSpec = {
  kind: 'rmsprop',
  rho: 0.9,
  momentum: 0,
  epsilon: 1e-7,
  centered: false,
  weightDecay: 0,
};

const specs: fc.Arbitrary<RmspropSpec> = fc.record({
  kind: fc.constant('rmsprop' as const),
  rho: fc.constantFrom(0.5, 0.9, 0.99),
  momentum: fc.constantFrom(0, 0.9),
  epsilon: fc.constantFrom(1e-7, 1e-2),
  centered: fc.boolean(),
  weightDecay: fc.constantFrom(0, 0.1),
});

type State = Readonly<Record<string, Float32Array>>;

/** One step on zeros for whatever state is missing. */
function step(spec: RmspropSpec, state: State, gradient: Float32Array, rate: number): State {
  const { length } = gradient;
  const zeros = new Float32Array(length);
  const arrays = { square: zeros, mean: zeros, momentum: zeros, ...state, gradient, hyper: [rate, 0, 0, 0] };
  const options = { count: length, literals: { length } };
  return { ...state, ...runKernel(rmspropFamily, spec, arrays, options) } as State;
}

test('the first step is lr g / sqrt((1 - rho) g^2 + epsilon)', () => {
  const gradient = randomValues(3, 200);
  const { param } = step(KERAS, { param: new Float32Array(200) }, gradient, 0.001);
  const expected = Float64Array.from(gradient, (g) => (-0.001 * g) / Math.sqrt((1 - 0.9) * g * g + 1e-7));
  // Above: the rate and its product. Below, halved by the root: 1 - rho, g*g, their product, + 0, epsilon, the sum; the
  // root; the quotient.
  assertWithin(param!, expected, roundoffBounds(7, expected.map(Math.abs)));
});

test('a constant gradient: its mean square goes to it, the centered one’s spread to 0, and never below', () => {
  const gradient = Float32Array.of(1, 0.1, 1000, -3e4);
  let plain: State = { param: new Float32Array(4) };
  let centered: State = { param: new Float32Array(4) };
  for (let t = 0; t < 400; t++) {
    plain = step(KERAS, plain, gradient, 0.001);
    centered = step({ ...KERAS, centered: true }, centered, gradient, 0.001);
    assert.ok(centered.param!.every(Number.isFinite), `step ${t}`);
  }
  plain.square!.forEach((square, i) => {
    assert.ok(Math.abs(square / gradient[i]! ** 2 - 1) < 1e-5);
  });
});

test('momentum adds up the steps; without a gradient and with decay w (1 - lr lambda)', () => {
  const spec = { ...KERAS, rho: 0.5, momentum: 0.5, epsilon: 0 };
  const gradient = Float32Array.of(2, -2);
  const first = step(spec, { param: new Float32Array(2) }, gradient, 0.25);
  const move = f(0.5 / f(Math.sqrt(2)));
  assertSameBits(first.momentum!, [move, -move]);
  const still = step(
    { ...KERAS, weightDecay: 0.25 },
    { param: Float32Array.of(8, -4) },
    new Float32Array(2),
    0.5,
  );
  assertSameBits(still.param!, [7, -3.5]);
});

test('the twin of rmsprop equals the scalar kernel for every variant and length', () => {
  check(fc.record({ spec: specs, length: fc.nat(50), seed: fc.nat() }), 80, ({ spec, length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assert.ok(assertTwin(rmspropFamily, rmspropTwin, spec, options));
  });
});
