/**
 * The oracle of layers that are a fixed linear map of each sample: every output element is a sum of input elements,
 * each times a factor. The gradient is the transposed map.
 */
import { elementCount } from '../../src/tensor/shape.ts';
import type { BoundedValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import type { Values } from './oracle.ts';
import { gamma } from './tolerance.ts';

/** One summand of an output element: an element of the sample's input, and its factor. */
export type Term = readonly [element: number, factor: number];

/** What a layer does to a sample: the terms of each output element. */
export type LinearMap = readonly (readonly Term[])[];

const SMALLEST_SUBNORMAL = 2 ** -149;

/**
 * `unit`: see LayerOracle.exactUnit. `roundings` is how many rounded operations a value meets at most on its way into
 * an output element of so many terms, `roundingsBack` (by default the same) on its way back into an input element;
 * default: the additions of a sum, since factors of 1 round nothing.
 */
export function linearMapOracle(
  mapOf: (problem: LayerProblem) => LinearMap,
  options: {
    readonly unit?: (problem: LayerProblem) => number | undefined;
    readonly roundings?: (terms: number) => number;
    readonly roundingsBack?: (terms: number) => number;
  } = {},
): LayerOracle {
  const { unit = () => 1, roundings = (terms) => Math.max(0, terms - 1) } = options;
  const { roundingsBack = roundings } = options;
  return {
    exactUnit: unit,
    forward(problem) {
      const { input, count } = problem;
      const values = Float64Array.from(input);
      const exact = { values, bounds: new Float64Array(values.length) };
      return applyMap(mapOf(problem), exact, count, elementCount(problem.inputShape), roundings);
    },
    backward(problem, gradOutput) {
      const transposed: Term[][] = Array.from({ length: elementCount(problem.inputShape) }, () => []);
      mapOf(problem).forEach((terms, output) => {
        for (const [element, factor] of terms) transposed[element]!.push([output, factor]);
      });
      const length = elementCount(problem.outputShape);
      return {
        gradInput: applyMap(transposed, gradOutput, problem.count, length, roundingsBack),
        parameters: {},
      };
    },
  };
}

function applyMap(
  map: LinearMap,
  operand: BoundedValues,
  count: number,
  length: number,
  roundings: (terms: number) => number,
): BoundedValues {
  const sum = (terms: readonly Term[], of: Values, from: number, size: (x: number) => number) =>
    terms.reduce((total, [element, factor]) => total + size(of[from + element]! * factor), 0);
  const values = new Float64Array(count * map.length);
  const bounds = new Float64Array(count * map.length);
  for (let sample = 0; sample < count; sample++) {
    map.forEach((terms, i) => {
      const at = sample * map.length + i;
      const passed = sum(terms, operand.bounds, sample * length, Math.abs);
      const magnitude = sum(terms, operand.values, sample * length, Math.abs) + passed;
      const n = roundings(terms.length);
      values[at] = sum(terms, operand.values, sample * length, (x) => x);
      bounds[at] = passed + (n === 0 ? 0 : gamma(n) * magnitude + n * SMALLEST_SUBNORMAL);
    });
  }
  return { values, bounds };
}
