/**
 * The oracle of activation functions, in f64: values by their formulas, derivatives by central differences
 * with h = 6e-6 max(1, |x|), each with the bound of what f32 may make of an input that is itself uncertain.
 */
import { type BoundedValues, roundingBound } from './conformance-bounds.ts';

/** One function. */
interface ActivationOracle {
  value(x: number, alpha: number): number;
  /** Least upper bounds (rounded up) of |f'|, and of |f''| away from a kink. */
  slope(alpha: number): number;
  readonly curvature: number | ((alpha: number) => number);
  /** Height of the steps of f'. */
  kink?(alpha: number): number;
  /** Where it steps; default 0. At the place itself it has the value of the left, or of the right. */
  readonly kinks?: readonly { readonly at: number; readonly side: 'left' | 'right' }[];
  /** Where the kernel computes f' from y: the largest |d f' / d y|. */
  readonly fromOutput?: number;
  /** Whether the result and its derivative are never rounded. */
  readonly exact?: boolean;
}

/** Phi: Marsaglia's series (J. Stat. Softw. 11-4, 2004); beyond 3 the tail's continued fraction. */
function normalDistribution(x: number): number {
  const t = Math.abs(x);
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (t > 3) {
    let fraction = t;
    for (let k = 80; k > 0; k--) fraction = t + k / fraction;
    return x < 0 ? density / fraction : 1 - density / fraction;
  }
  let sum = x;
  for (let term = x, i = 3; Math.abs(term) > 1e-18; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * density;
}

const ORACLES: Readonly<Record<string, ActivationOracle>> = {
  linear: { value: (x) => x, slope: () => 1, curvature: 0, exact: true },
  relu: { value: (x) => Math.max(x, 0), slope: () => 1, curvature: 0, kink: () => 1, exact: true },
  relu6: {
    value: (x) => Math.min(Math.max(x, 0), 6),
    slope: () => 1,
    curvature: 0,
    kink: () => 1,
    kinks: [
      { at: 0, side: 'left' },
      { at: 6, side: 'right' },
    ],
    exact: true,
  },
  leakyRelu: {
    value: (x, alpha) => (x < 0 ? Math.fround(alpha) * x : x),
    slope: (alpha) => Math.max(1, Math.fround(alpha)),
    curvature: 0,
    kink: (alpha) => Math.abs(1 - Math.fround(alpha)),
  },
  softplus: {
    value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    slope: () => 1,
    curvature: 0.25,
  },
  elu: {
    value: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
    slope: (alpha) => Math.max(1, alpha),
    curvature: (alpha) => alpha,
    kink: (alpha) => Math.abs(1 - alpha),
    fromOutput: 1,
  },
  gelu: { value: (x) => x * normalDistribution(x), slope: () => 1.13, curvature: 0.8 },
  geluTanh: {
    value: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    slope: () => 1.13,
    curvature: 0.8,
  },
  sigmoid: { value: (x) => 1 / (1 + Math.exp(-x)), slope: () => 0.25, curvature: 0.1, fromOutput: 1 },
  silu: { value: (x) => x / (1 + Math.exp(-x)), slope: () => 1.1, curvature: 0.5 },
  hardSigmoid: {
    value: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6),
    slope: () => 1 / 6,
    curvature: 0,
    kink: () => 1 / 6,
    kinks: [
      { at: -3, side: 'left' },
      { at: 3, side: 'right' },
    ],
  },
  hardSwish: {
    value: (x) => (x <= -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6),
    slope: () => 1.5,
    curvature: 1 / 3,
    kink: () => 0.5,
    kinks: [
      { at: -3, side: 'left' },
      { at: 3, side: 'right' },
    ],
  },
  tanh: { value: (x) => Math.tanh(x), slope: () => 1, curvature: 0.77, fromOutput: 2 },
};

/** Roundings of a value near x computed in f64, by cancellation in 1 + erf and 1 + tanh. */
const CANCELLATION = 2 ** -50;

/** f(x), rounded once. */
export function activate(name: string, alpha: number, x: BoundedValues): BoundedValues {
  if (name === 'softmax') throw new Error('softmax needs its channels: use softmax()');
  const oracle = ORACLES[name]!;
  const values = x.values.map((value) => oracle.value(value, alpha));
  return { values, bounds: values.map((_, i) => valueBound(oracle, alpha, x, values, i)) };
}

function valueBound(
  oracle: ActivationOracle,
  alpha: number,
  x: BoundedValues,
  values: Float64Array,
  i: number,
): number {
  const passed = oracle.slope(alpha) * x.bounds[i]!;
  if (oracle.exact) return passed;
  const cancelled = Math.min(Math.abs(x.values[i]!), 40) * CANCELLATION;
  return passed + roundingBound(Math.abs(values[i]!) + passed) + cancelled;
}

/** gradOutput * f'(x). */
export function activationGradient(
  name: string,
  alpha: number,
  x: BoundedValues,
  gradOutput: BoundedValues,
): BoundedValues {
  const oracle = ORACLES[name]!;
  const y = activate(name, alpha, x);
  const values = new Float64Array(x.values.length);
  const bounds = new Float64Array(x.values.length);
  for (let i = 0; i < values.length; i++) {
    const slope = differenceQuotient(oracle, alpha, x.values[i]!);
    const slopeError =
      slope.error + derivativeBound(oracle, alpha, x, y, i) + roundingBound(Math.abs(slope.value));
    const [g, gError] = [Math.abs(gradOutput.values[i]!), gradOutput.bounds[i]!];
    values[i] = gradOutput.values[i]! * slope.value;
    const passed = g * slopeError + (Math.abs(slope.value) + slopeError) * gError;
    bounds[i] = passed + roundingBound(Math.abs(values[i]!) + passed);
  }
  return { values, bounds };
}

/** f'(x) in f64, and how far the quotient is from it: truncation h^2/6 |f'''| with |f'''| <= 2, and roundings. */
function differenceQuotient(
  oracle: ActivationOracle,
  alpha: number,
  x: number,
): { value: number; error: number } {
  const h = 6e-6 * Math.max(1, Math.abs(x));
  const kink = oracle.kink?.(alpha) ?? 0;
  const f = (at: number) => oracle.value(at, alpha);
  const near = kinksOf(oracle).find(({ at }) => Math.abs(x - at) <= h);
  if (kink > 0 && near !== undefined) {
    // Towards the side that x is on; at the kink itself, the one that the kernels take.
    const isRight = x === near.at ? near.side === 'right' : x > near.at;
    const value = isRight ? (f(x + h) - f(x)) / h : (f(x) - f(x - h)) / h;
    return { value, error: (h + 2 ** -20) * (oracle.slope(alpha) + 1) };
  }
  const size = Math.abs(f(x)) + 1;
  return {
    value: (f(x + h) - f(x - h)) / (2 * h),
    error: (h * h * Math.max(1, alpha)) / 3 + (size * CANCELLATION) / h,
  };
}

function kinksOf({ kinks = [{ at: 0, side: 'left' }] }: ActivationOracle) {
  return kinks;
}

/** What the input's error makes of f', and the output's where f' is computed from it. */
function derivativeBound(
  oracle: ActivationOracle,
  alpha: number,
  x: BoundedValues,
  y: BoundedValues,
  i: number,
): number {
  const error = x.bounds[i]!;
  const curvature = typeof oracle.curvature === 'number' ? oracle.curvature : oracle.curvature(alpha);
  const ambiguous = error > 0 && kinksOf(oracle).some(({ at }) => Math.abs(x.values[i]! - at) <= error);
  const inherited = (oracle.fromOutput ?? 0) * y.bounds[i]!;
  return curvature * error + (ambiguous ? (oracle.kink?.(alpha) ?? 0) : 0) + inherited;
}

/** Softmax over the last axis. Errors e of the inputs multiply a probability by at most exp(2 max e). */
export function softmax(channels: number, x: BoundedValues): BoundedValues {
  const values = new Float64Array(x.values.length);
  const bounds = new Float64Array(x.values.length);
  for (let row = 0; row < values.length; row += channels) {
    const max = Math.max(...x.values.subarray(row, row + channels));
    const error = Math.max(...x.bounds.subarray(row, row + channels));
    const powers = x.values.subarray(row, row + channels).map((value) => Math.exp(value - max));
    const sum = powers.reduce((total, power) => total + power, 0);
    powers.forEach((power, c) => {
      values[row + c] = power / sum;
      const passed = (power / sum) * Math.expm1(2 * error);
      bounds[row + c] = passed + roundingBound(power / sum + passed);
    });
  }
  return { values, bounds };
}

/** p (g - sum of g p), p the softmax. */
export function softmaxGradient(
  channels: number,
  x: BoundedValues,
  gradOutput: BoundedValues,
): BoundedValues {
  const p = softmax(channels, x);
  const values = new Float64Array(x.values.length);
  const bounds = new Float64Array(x.values.length);
  for (let row = 0; row < values.length; row += channels) {
    let [sum, sumError] = [0, 0];
    for (let k = row; k < row + channels; k++) {
      const [g, gError, error] = [gradOutput.values[k]!, gradOutput.bounds[k]!, p.bounds[k]!];
      sum += g * p.values[k]!;
      sumError += Math.abs(g) * error + (p.values[k]! + error) * gError + 2 ** -48 * Math.abs(g);
    }
    for (let k = row; k < row + channels; k++) {
      const difference = gradOutput.values[k]! - sum;
      const differenceError = gradOutput.bounds[k]! + sumError;
      values[k] = p.values[k]! * difference;
      const passed = p.bounds[k]! * (Math.abs(difference) + differenceError) + p.values[k]! * differenceError;
      bounds[k] = passed + roundingBound(Math.abs(values[k]!) + passed);
    }
  }
  return { values, bounds };
}
