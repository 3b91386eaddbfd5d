import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import {
  type ActivationBackwardSpec,
  activationBackwardFamily,
} from '../../src/kernels/activation-backward.ts';
import { type ActivationForwardSpec, activationForwardFamily } from '../../src/kernels/activation-forward.ts';
import { ACTIVATIONS, type ActivationName } from '../../src/kernels/activation-functions.ts';
import { activationBackwardTwin } from '../../src/kernels/simd/activation-backward.ts';
import { activationForwardTwin } from '../../src/kernels/simd/activation-forward.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomValues, specialValues, uniforms } from '../helpers/arbitraries.ts';
import { type ImagesCase, imagesCases } from '../helpers/elementwise.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { UNIT_ROUNDOFF } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;
const NAMES = Object.keys(ACTIVATIONS) as ActivationName[];
/** What the twins compute; the rest is left to the scalar kernel. */
const FORWARD_TWINS: readonly ActivationName[] = [
  'relu',
  'relu6',
  'leakyRelu',
  'silu',
  'sigmoid',
  'hardSigmoid',
  'hardSwish',
  'geluTanh',
];
const BACKWARD_TWINS: readonly ActivationName[] = [
  'relu',
  'relu6',
  'leakyRelu',
  'elu',
  'silu',
  'sigmoid',
  'hardSigmoid',
  'hardSwish',
  'tanh',
  'softplus',
];
/** Where derivatives step, besides 0. */
const KINKS = [-3, 3, 6];

/**
 * Phi by Marsaglia's series (J. Stat. Softw. 11-4, 2004), and beyond 3 by the tail's continued fraction
 * phi(t) / (t + 1/(t + 2/(t + 3/(t + ...)))), which is accurate relative to the tail.
 */
function normalDistribution(x: number): number {
  const density = Math.exp(-0.5 * x * x - 0.9189385332046727);
  const t = Math.abs(x);
  if (t > 3) {
    let fraction = t;
    for (let k = 80; k > 0; k--) fraction = t + k / fraction;
    const tail = density / fraction;
    return x < 0 ? tail : 1 - tail;
  }
  let sum = x;
  let term = x;
  for (let i = 3; Math.abs(term) > 1e-18; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * density;
}

/** The functions in f64, written independently of src. */
const ORACLE: Record<ActivationName, (x: number, alpha: number) => number> = {
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  leakyRelu: (x, alpha) => (x < 0 ? f(alpha) * x : x),
  softplus: (x) => (x > 40 ? x : Math.log1p(Math.exp(x))),
  elu: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  gelu: (x) => x * normalDistribution(x),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  hardSigmoid: (x) => (x < -3 ? 0 : x > 3 ? 1 : x / 6 + 0.5),
  hardSwish: (x) => (x < -3 ? 0 : x > 3 ? x : (x * x) / 6 + x / 2),
  tanh: (x) => Math.tanh(x),
};

/** How far 1 + erf and 1 + tanh may be off in f64, by cancellation. */
const CANCELLATION = 2 ** -50;

function run(name: ActivationName, x: Float32Array, alpha = ACTIVATIONS[name].alpha ?? 0): Float32Array {
  const view = denseView(1, 1, x.length);
  const spec = { kind: 'activationForward', function: name, alpha, input: view, output: view } as const;
  return runKernel(activationForwardFamily, spec, { input: x }).output as Float32Array;
}

function backward(
  name: ActivationName,
  saved: Float32Array,
  g: Float32Array,
  alpha = ACTIVATIONS[name].alpha ?? 0,
) {
  const view = denseView(1, 1, saved.length);
  const views = { saved: view, gradOutput: view, gradInput: view };
  const spec = { kind: 'activationBackward', function: name, alpha, ...views, accumulate: false } as const;
  return runKernel(activationBackwardFamily, spec, { saved, gradOutput: g }).gradInput as Float32Array;
}

function spread(seed: number, length: number, limit: number): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length }, () => limit * (2 * next() - 1));
}

for (const name of NAMES) {
  test(`${name} is its f64 formula, rounded once`, () => {
    for (const alpha of [ACTIVATIONS[name].alpha ?? 0, 0.3, 0]) {
      const x = Float32Array.of(
        ...spread(1, 1000, 1),
        ...spread(2, 1000, 12),
        ...randomValues(3, 1000, -20, 20),
      );
      const y = run(name, x, alpha);
      x.forEach((value, i) => {
        const exact = ORACLE[name](value, alpha);
        const slack = name.startsWith('gelu') ? Math.min(Math.abs(value), 40) * CANCELLATION : 0;
        const bound = (UNIT_ROUNDOFF + 2 ** -48) * Math.abs(exact) + 2 ** -150 + slack;
        assert.ok(Math.abs(y[i]! - exact) <= bound, `${name}(${value}) = ${y[i]}, exactly ${exact}`);
      });
    }
  });

  test(`the derivative of ${name} is the central difference of its formula`, () => {
    const alpha = ACTIVATIONS[name].alpha ?? 0;
    const x = Float32Array.of(...spread(4, 1000, 1), ...spread(5, 1000, 9)).filter((v) =>
      [0, ...KINKS].every((kink) => Math.abs(v - kink) > 1e-4),
    );
    const y = run(name, x);
    const { saves } = ACTIVATIONS[name];
    const derivative = backward(name, saves === 'input' ? x : y, new Float32Array(x.length).fill(1));
    x.forEach((value, i) => {
      const h = 6e-6 * Math.max(1, Math.abs(value));
      const difference = (ORACLE[name](value + h, alpha) - ORACLE[name](value - h, alpha)) / (2 * h);
      // Truncation h^2/6 |f'''| with |f'''| < 2; the roundings of the difference; of x + h; of the result.
      const size = Math.abs(ORACLE[name](value, alpha)) + 1;
      const roundings = (size * CANCELLATION) / h + UNIT_ROUNDOFF * Math.abs(difference);
      // A derivative in y has y's rounding error times d(derivative)/dy, at most 2.
      const inherited = saves === 'output' ? 2 * UNIT_ROUNDOFF * Math.abs(y[i]!) : 0;
      const bound = (h * h) / 3 + roundings + inherited;
      assert.ok(
        Math.abs(derivative[i]! - difference) <= bound,
        `${name}'(${value}) = ${derivative[i]}, difference ${difference}, bound ${bound}`,
      );
    });
  });
}

test('limits, zeros and NaN', () => {
  const x = Float32Array.of(0, -0, Infinity, -Infinity, NaN);
  const expected: Record<ActivationName, number[]> = {
    relu: [0, -0, Infinity, 0, NaN],
    relu6: [0, -0, 6, 0, NaN],
    leakyRelu: [0, -0, Infinity, -Infinity, NaN],
    softplus: [f(Math.LN2), f(Math.LN2), Infinity, 0, NaN],
    elu: [0, -0, Infinity, -1, NaN],
    gelu: [0, -0, Infinity, -0, NaN],
    geluTanh: [0, -0, Infinity, -0, NaN],
    silu: [0, -0, Infinity, -0, NaN],
    sigmoid: [0.5, 0.5, 1, 0, NaN],
    hardSigmoid: [0.5, 0.5, 1, 0, NaN],
    hardSwish: [0, -0, Infinity, -0, NaN],
    tanh: [0, -0, 1, -1, NaN],
  };
  for (const name of NAMES) assertSameBits(run(name, x), expected[name], name);
});

test('derivatives at zero and at the limits', () => {
  const x = Float32Array.of(0, -0, Infinity, -Infinity);
  const ones = new Float32Array(4).fill(1);
  const alpha = f(0.01);
  const expected: Record<ActivationName, number[]> = {
    relu: [0, 0, 1, 0],
    relu6: [0, 0, 0, 0],
    leakyRelu: [alpha, alpha, 1, alpha],
    softplus: [0.5, 0.5, 1, 0],
    elu: [1, 1, 1, 0],
    gelu: [0.5, 0.5, 1, 0],
    geluTanh: [0.5, 0.5, 1, 0],
    silu: [0.5, 0.5, 1, -0],
    sigmoid: [0.25, 0.25, 0, 0],
    hardSigmoid: [f(1 / 6), f(1 / 6), 0, 0],
    hardSwish: [0.5, 0.5, 1, 0],
    tanh: [1, 1, 0, 0],
  };
  for (const name of NAMES) {
    const { saves, alpha: slope = 0, derivative } = ACTIVATIONS[name];
    const saved = saves === 'input' ? x : run(name, x);
    assertSameBits(backward(name, saved, ones), expected[name], name);
    assertSameBits(
      saved.map((value) => derivative(value, slope)),
      expected[name],
      name,
    );
  }
  assertSameBits(backward('elu', Float32Array.of(0, -0), ones.slice(2), 0.3), [f(0.3), f(0.3)]);
});

test("ReLU's gradient is chosen, not multiplied: no NaN from an infinity, no -0 from a negative", () => {
  const saved = Float32Array.of(0, -0, 1e-45, 5, NaN, 0);
  const g = Float32Array.of(Infinity, -1, -0, NaN, 1, NaN);
  assertSameBits(backward('relu', saved, g), [0, 0, -0, NaN, 0, 0]);
});

test('the derivatives of ReLU6, hard sigmoid and hard swish step at 0, 6 and +-3, on the side that they say', () => {
  const x = Float32Array.of(6, f(6 - 2 ** -21), -3, f(-3 + 2 ** -22), 3, f(3 - 2 ** -22));
  const ones = new Float32Array(6).fill(1);
  const at = (name: ActivationName) =>
    backward(name, ACTIVATIONS[name].saves === 'input' ? x : run(name, x), ones);
  const third = f(1 / 6);
  assertSameBits(at('relu6'), [0, 1, 0, 0, 1, 1]);
  assertSameBits(at('hardSigmoid'), [0, 0, 0, third, 0, third]);
  const [below, above] = [f((2 * x[3]! + 3) / 6), f((2 * x[5]! + 3) / 6)];
  assertSameBits(at('hardSwish'), [1, 1, 0, below, 1, above]);
});

/** What a spec needs of a case. */
type Subject = Pick<ImagesCase, 'views' | 'seed'>;

/** The default slope, or another one. */
function slopeFor(name: ActivationName, seed: number): number {
  return seed % 3 === 0 ? (ACTIVATIONS[name].alpha ?? 0) : 0.3;
}

function backwardSpec(
  name: ActivationName,
  { views, seed }: Subject,
  accumulate: boolean,
): ActivationBackwardSpec {
  const [saved, gradOutput, gradInput] = views;
  const alpha = slopeFor(name, seed);
  return { kind: 'activationBackward', function: name, alpha, saved, gradOutput, gradInput, accumulate };
}

function forwardSpec(name: ActivationName, { views, seed }: Subject): ActivationForwardSpec {
  const [input, output] = views;
  const alpha = slopeFor(name, seed);
  return { kind: 'activationForward', function: name, alpha, input, output };
}

test('the gradient is gradOutput times the rounded derivative, written or added, in any layout', () => {
  check(imagesCases, 60, (subject) => {
    const { seed, elements, count } = subject;
    const name = NAMES[seed % NAMES.length]!;
    const [saved, gradOutput] = [randomValues(seed, elements, -3, 1), specialValues(seed + 1, elements)];
    const start = specialValues(seed + 2, elements);
    const alpha = slopeFor(name, seed);
    const gradient = (i: number) => {
      if (name === 'relu') return saved[i]! > 0 ? gradOutput[i]! : 0;
      if (name === 'relu6') return saved[i]! > 0 && saved[i]! < 6 ? gradOutput[i]! : 0;
      return f(gradOutput[i]! * ACTIVATIONS[name].derivative(saved[i]!, alpha));
    };
    const arrays = { saved, gradOutput, gradInput: start };
    const written = runKernel(activationBackwardFamily, backwardSpec(name, subject, false), arrays, {
      count,
    });
    assertSameBits(
      written.gradInput!,
      Float32Array.from({ length: elements }, (_, i) => gradient(i)),
    );
    const added = runKernel(activationBackwardFamily, backwardSpec(name, subject, true), arrays, { count });
    assertSameBits(
      added.gradInput!,
      Float32Array.from({ length: elements }, (_, i) => f(start[i]! + gradient(i))),
    );
  });
});

test('in place, forward and backward give the same bits', () => {
  const { family: forward } = inPlace(activationForwardFamily, activationForwardTwin, 'input', 'output');
  check(imagesCases, 40, ({ views: [view], elements, count, seed }) => {
    const name = NAMES[seed % NAMES.length]!;
    const values = specialValues(seed, elements);
    const spec = forwardSpec(name, { views: [view, view, view], seed });
    const apart = runKernel(activationForwardFamily, spec, { input: values }, { count });
    const together = runKernel(forward, spec, { output: values }, { count });
    assertSameBits(together.output!, apart.output!);
    const back = backwardSpec(name, { views: [view, view, view], seed }, false);
    const arrays = { saved: values, gradOutput: specialValues(seed + 1, elements) };
    const separate = runKernel(activationBackwardFamily, back, arrays, { count });
    for (const source of ['saved', 'gradOutput'] as const) {
      const { family } = inPlace(activationBackwardFamily, activationBackwardTwin, source, 'gradInput');
      const results = runKernel(family, back, { ...arrays, gradInput: arrays[source] }, { count });
      assertSameBits(results.gradInput!, separate.gradInput!);
    }
  });
});

test('the twins equal the scalar kernels, or leave the function to them', () => {
  check(imagesCases, 25, (subject) => {
    const options = { count: subject.count, seed: subject.seed, specials: subject.seed % 2 === 0 };
    for (const name of NAMES) {
      const served = assertTwin(
        activationForwardFamily,
        activationForwardTwin,
        forwardSpec(name, subject),
        options,
      );
      assert.equal(served, FORWARD_TWINS.includes(name), name);
      for (const accumulate of [false, true]) {
        const spec = backwardSpec(name, subject, accumulate);
        const servedBack = assertTwin(activationBackwardFamily, activationBackwardTwin, spec, options);
        assert.equal(servedBack, BACKWARD_TWINS.includes(name), name);
      }
    }
  });
});

test('the twins equal the scalar kernels in place, on the notebook shapes', () => {
  const view = denseView(8, 8, 32, 1);
  const options = { count: 2, seed: 3, specials: true };
  const whole: Subject = { views: [view, view, view], seed: 3 };
  for (const name of ['relu', 'leakyRelu', 'sigmoid'] as const) {
    const forward = inPlace(activationForwardFamily, activationForwardTwin, 'input', 'output');
    assert.ok(assertTwin(forward.family, forward.twin, forwardSpec(name, whole), options));
    const back = inPlace(activationBackwardFamily, activationBackwardTwin, 'gradOutput', 'gradInput');
    assert.ok(assertTwin(back.family, back.twin, backwardSpec(name, whole, false), options));
  }
});

test('other sizes, and slopes below 0, are refused', () => {
  const spec: ActivationForwardSpec = {
    kind: 'activationForward',
    function: 'relu',
    alpha: 0,
    input: denseView(2, 2, 3),
    output: denseView(2, 2, 4),
  };
  const refusal = new ShapeError({
    operation: 'activationForward',
    argument: 'output',
    expected: 'images of [2, 2, 3], as in input',
    received: '[2, 2, 4]',
  });
  assert.throws(() => runKernel(activationForwardFamily, spec, { input: new Float32Array(12) }), refusal);
  assert.throws(() => activationForwardTwin.emit(spec, BASELINE_TARGET), refusal);
  const negative = { ...spec, function: 'leakyRelu', alpha: -0.1, output: spec.input } as const;
  assert.throws(
    () => activationForwardTwin.emit(negative, BASELINE_TARGET),
    new ConfigError({
      operation: 'activationForward "leakyRelu"',
      argument: 'alpha',
      expected: 'a finite number from 0 on',
      received: '-0.1',
    }),
  );
});
