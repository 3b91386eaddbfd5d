/**
 * The activation functions of the seed's section 2.1 (but for parametric ReLU and softmax, which are kernels
 * of their own), and those of mobile networks, with their derivatives. Each says what of the forward pass its derivative is computed from.
 *
 * Values are f32. Where a transcendental function is involved the formula is evaluated in f64 by src/math
 * and rounded once; so are the derivatives. At 0 the derivative of ReLU is 0, that of the leaky one alpha.
 */
import { ConfigError } from '../errors.ts';
import { erf } from '../math/erf.ts';
import { exp, expm1 } from '../math/exp.ts';
import { sigmoid, softplus, tanh } from '../math/tanh.ts';

export type ActivationName =
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'softplus'
  | 'elu'
  | 'gelu'
  | 'geluTanh'
  | 'silu'
  | 'sigmoid'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'tanh';

/** One activation function, element by element. */
export interface ActivationFunction {
  /** What `derivative` takes: the function's input or its output. */
  readonly saves: 'input' | 'output';
  /** Where the function has a parameter: the value that layers use by default. */
  readonly alpha?: number;
  /** f(x), rounded to f32. */
  forward(x: number, alpha: number): number;
  /** f'(x), rounded to f32, from x or f(x) as `saves` says. */
  derivative(saved: number, alpha: number): number;
}

const f = Math.fround;

/** 1 / sqrt(2), 1 / sqrt(2 pi) and 2 sqrt(2 / pi). */
const SQRT_HALF = 0.7071067811865476;
const INVERSE_SQRT_TWO_PI = 0.3989422804014327;
const TWO_SQRT_TWO_OVER_PI = 1.5957691216057308;

/** The cubic term of GELU's tanh form (Hendrycks, Gimpel, arXiv:1606.08415). */
export const GELU_CUBIC = 0.044715;
/** GELU's tanh form is x / (1 + e^-v) with v = GELU_SLOPE * (x + GELU_CUBIC x^3). */
export const GELU_SLOPE = TWO_SQRT_TWO_OVER_PI;
/** Both GELUs are -0 in f32 below minus this, and x above it; clamping keeps infinities out of products. */
export const GELU_LIMIT = 40;
/** SiLU and its derivative are -0 in f32 below minus this. */
export const SILU_LIMIT = 120;

export const ACTIVATIONS: Readonly<Record<ActivationName, ActivationFunction>> = {
  /** 0 below 0, else x: NaN and -0 pass. */
  relu: {
    saves: 'output',
    forward: relu,
    derivative: (y) => (y > 0 ? 1 : 0),
  },
  /** 0 below 0, 6 above 6, else x (Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010). */
  relu6: {
    saves: 'output',
    forward: relu6,
    derivative: (y) => (y > 0 && y < 6 ? 1 : 0),
  },
  /** x, or alpha x below 0; alpha is rounded to f32. */
  leakyRelu: {
    saves: 'output',
    alpha: 0.01,
    forward: (x, alpha) => (x < 0 ? f(f(alpha) * x) : x),
    derivative: (y, alpha) => (y > 0 ? 1 : f(alpha)),
  },
  /** ln(1 + e^x), whose derivative is the sigmoid. */
  softplus: {
    saves: 'input',
    forward: (x) => f(softplus(x)),
    derivative: (x) => f(sigmoid(x)),
  },
  /** x above 0, else alpha (e^x - 1), whose derivative alpha e^x is y + alpha. */
  elu: {
    saves: 'output',
    alpha: 1,
    forward: (x, alpha) => (x > 0 ? x : f(alpha * expm1(x))),
    derivative: (y, alpha) => (y > 0 ? 1 : f(y + alpha)),
  },
  /**
   * x Phi(x), Phi being the normal distribution function (Hendrycks, Gimpel, arXiv:1606.08415). Phi is computed
   * as (1 + erf)/2, with an absolute error below 2^-52.
   */
  gelu: {
    saves: 'input',
    forward: (x) => f(clampBelow(x) * normalDistribution(clampBelow(x))),
    derivative: (x) => f(geluDerivative(clamp(x))),
  },
  /** x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, as x times the sigmoid of twice the argument. */
  geluTanh: {
    saves: 'input',
    forward: (x) => f(geluTanh(clampBelow(x))),
    derivative: (x) => f(geluTanhDerivative(clamp(x))),
  },
  /** x / (1 + e^-x), also called swish (Elfwing, Uchibe, Doya, arXiv:1702.03118). */
  silu: {
    saves: 'input',
    forward: (x) => f(silu(Math.max(x, -SILU_LIMIT))),
    derivative: (x) => f(siluDerivative(Math.min(Math.max(x, -SILU_LIMIT), SILU_LIMIT))),
  },
  /** 1 / (1 + e^-x), whose derivative is y (1 - y). */
  sigmoid: {
    saves: 'output',
    forward: (x) => f(sigmoid(x)),
    derivative: (y) => f(y * (1 - y)),
  },
  /** min(max(x + 3, 0), 6) / 6; the derivative is 1/6 where the result is between 0 and 1. */
  hardSigmoid: {
    saves: 'output',
    forward: (x) => f(hardSigmoid(x)),
    derivative: (y) => (y > 0 && y < 1 ? f(1 / 6) : 0),
  },
  /** x times the hard sigmoid (Howard et al., arXiv:1905.02244); the derivative at -3 is 0, at 3 it is 1. */
  hardSwish: {
    saves: 'input',
    forward: (x) => f(hardSwish(Math.max(x, -3))),
    derivative: (x) => f(hardSwishDerivative(x)),
  },
  /** tanh x, whose derivative is 1 - y^2. */
  tanh: {
    saves: 'output',
    forward: (x) => f(tanh(x)),
    derivative: (y) => f(1 - y * y),
  },
};

/**
 * Throws ConfigError unless alpha suits the function: where it has one, a number from 0 on (below 0 the
 * output would not tell the sign of the input).
 */
export function checkAlpha(operation: string, name: ActivationName, alpha: number): void {
  if (ACTIVATIONS[name].alpha === undefined || (alpha >= 0 && alpha < Infinity)) return;
  throw new ConfigError({
    operation: `${operation} "${name}"`,
    argument: 'alpha',
    expected: 'a finite number from 0 on',
    received: String(alpha),
  });
}

function relu(x: number): number {
  if (x < 0) return 0;
  return x;
}

function relu6(x: number): number {
  if (x > 6) return 6;
  return relu(x);
}

function clampBelow(x: number): number {
  return Math.max(x, -GELU_LIMIT);
}

function clamp(x: number): number {
  return Math.min(clampBelow(x), GELU_LIMIT);
}

function normalDistribution(x: number): number {
  return 0.5 * (1 + erf(x * SQRT_HALF));
}

function geluDerivative(x: number): number {
  return normalDistribution(x) + x * (INVERSE_SQRT_TWO_PI * exp(-0.5 * x * x));
}

function geluTanh(x: number): number {
  return x * sigmoid(GELU_SLOPE * (x + GELU_CUBIC * (x * x * x)));
}

function geluTanhDerivative(x: number): number {
  const s = sigmoid(GELU_SLOPE * (x + GELU_CUBIC * (x * x * x)));
  const slope = GELU_SLOPE * (1 + 3 * GELU_CUBIC * (x * x));
  return s + x * (s * (1 - s)) * slope;
}

function silu(x: number): number {
  return x * sigmoid(x);
}

function siluDerivative(x: number): number {
  const s = sigmoid(x);
  return s + x * (s * (1 - s));
}

function hardSigmoid(x: number): number {
  return Math.min(Math.max(x + 3, 0), 6) / 6;
}

/** For x from -3 on: below, minus infinity would be multiplied by 0. */
function hardSwish(x: number): number {
  return (x * Math.min(x + 3, 6)) / 6;
}

function hardSwishDerivative(x: number): number {
  if (x >= 3) return 1;
  return x <= -3 ? 0 : (2 * x + 3) / 6;
}
