/**
 * Holds an implementation of convolution's three passes to the oracle: within its error bound on
 * magnitudes of 10^-3 to 10^3, exactly on integers. The same checks judge the direct kernels, Winograd's,
 * and the faulty ones that prove the checks' power.
 */
import { type ConvGeometry, weightCount } from '../../src/tensor/convolution.ts';
import { type ConvCase, randomValues } from './arbitraries.ts';
import { assertSameValues, exactIntegers } from './exact.ts';
import { absolute, convForward, convInputGradient, convWeightGradient, type Values } from './oracle.ts';
import {
  directForward,
  directInputGradient,
  directWeightGradient,
  type PassOptions,
} from './run-convolution.ts';
import { assertWithin, roundoffBounds } from './tolerance.ts';

/** The passes: (input, weight) to output, (gradOutput, weight) to gradInput, (input, gradOutput) to gradWeight. */
export const PASSES = ['forward', 'inputGradient', 'weightGradient'] as const;
export type PassName = (typeof PASSES)[number];

/** What a pass computes, besides its two arrays. */
export interface PassProblem {
  readonly geometry: ConvGeometry;
  readonly count: number;
  readonly flip: boolean;
}

/** One implementation of the passes, and the error bounds that it claims. */
export type Subject = {
  readonly [P in PassName]: (g: ConvGeometry, a: Values, b: Values, options: PassOptions) => Float32Array;
} & {
  /** Bounds of a pass on `a` and `b`, its result added to `start` (zeros where nothing is added). */
  bounds(pass: PassName, problem: PassProblem, a: Values, b: Values, start: Float32Array): Float64Array;
};

const ORACLE = { forward: convForward, inputGradient: convInputGradient, weightGradient: convWeightGradient };

/** A pass in f64, its result added to `start`. */
export function oraclePass(
  pass: PassName,
  problem: PassProblem,
  a: Values,
  b: Values,
  start: Values,
): Float64Array {
  const { geometry, count, flip } = problem;
  return ORACLE[pass](geometry, a, b, count, { flip }).map((value, i) => value + start[i]!);
}

/** Products in each sum of a pass. */
export function productCount(pass: PassName, { geometry: g, count }: PassProblem): number {
  if (pass === 'weightGradient') return count * g.outHeight * g.outWidth;
  return ((pass === 'forward' ? g.inChannels : g.outChannels) / g.groups) * g.kernelHeight * g.kernelWidth;
}

/** The direct scalar kernels: gamma(n) * S, n counting the products and the value added to. */
export const direct: Subject = {
  forward: directForward,
  inputGradient: directInputGradient,
  weightGradient: directWeightGradient,
  bounds(pass, problem, a, b, start) {
    const magnitudes = oraclePass(pass, problem, absolute(a), absolute(b), absolute(start));
    const adds = start.some((value) => value !== 0) ? 1 : 0;
    return roundoffBounds(productCount(pass, problem) + adds, magnitudes);
  },
};

/** Draws an array of `length` values from a seed. */
export type Draw = (seed: number, length: number) => Float32Array;

/** The arrays of a case, drawn from its seed. */
export function drawArrays({ geometry: g, count, seed }: ConvCase, draw: Draw = randomValues) {
  return {
    input: draw(seed, count * g.inHeight * g.inWidth * g.inChannels),
    weight: draw(seed + 1, weightCount(g)),
    gradOutput: draw(seed + 2, count * g.outHeight * g.outWidth * g.outChannels),
    bias: draw(seed + 3, g.outChannels),
  };
}

/** A pass's two arrays, and what its result is to be added to: every other case adds to something. */
function operands(pass: PassName, subject: ConvCase, draw: Draw) {
  const { input, weight, gradOutput, bias } = drawArrays(subject, draw);
  const { geometry: g, seed } = subject;
  const adds = seed % 2 === 1;
  if (pass === 'forward') {
    const start = gradOutput.map((_, i) => (adds ? bias[i % g.outChannels]! : 0));
    return { a: input, b: weight, start, extra: adds ? { bias } : {} };
  }
  const [a, b, result] =
    pass === 'inputGradient' ? [gradOutput, weight, input.length] : [input, gradOutput, weight.length];
  const start = adds ? draw(seed + 4, result) : new Float32Array(result);
  return { a, b, start, extra: adds ? { onto: start } : {} };
}

/** Throws unless the pass is within its error bounds; returns the largest error/bound. */
export function checkWithinBounds(
  subject: Subject,
  pass: PassName,
  tried: ConvCase,
  draw: Draw = randomValues,
): number {
  const { a, b, start, extra } = operands(pass, tried, draw);
  const actual = subject[pass](tried.geometry, a, b, { ...tried, ...extra });
  const expected = oraclePass(pass, tried, a, b, start);
  return assertWithin(actual, expected, subject.bounds(pass, tried, a, b, start), pass);
}

/** Throws unless the pass is exact on integers small enough for every partial sum to be one that f32 holds. */
export function checkExact(subject: Subject, pass: PassName, tried: ConvCase): void {
  const n = productCount(pass, tried) + 1;
  const { a, b, start, extra } = operands(pass, tried, (seed, length) => exactIntegers(seed, length, n));
  const actual = subject[pass](tried.geometry, a, b, { ...tried, ...extra });
  assertSameValues(actual, oraclePass(pass, tried, a, b, start), pass);
}
