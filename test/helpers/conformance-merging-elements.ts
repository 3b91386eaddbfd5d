/**
 * The oracles of layers that merge inputs element by element: each element of the output is a function of one number of
 * each input, and each of its derivatives times dY, summed over the elements that a number stands for.
 */
import { elementCount } from '../../src/tensor/shape.ts';
import { broadcastPlaces } from './broadcasting.ts';
import type { BoundedValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { add, type Bounded, divide, exactly, multiply } from './running-error.ts';

/** What becomes of an element's numbers, one an input. */
interface Merging {
  value(numbers: readonly Bounded[]): Bounded;
  /** dY times the derivative for number `index`. */
  gradient(numbers: readonly Bounded[], index: number, gradOutput: Bounded): Bounded;
}

/** Where a problem's numbers are. */
interface Places {
  /** Elements of a sample of the inputs, and of the output. */
  readonly inputs: number;
  readonly outputs: number;
  /** Of each input, its place in the sample, and the element that each element of the output takes of it. */
  readonly parts: readonly { readonly from: number; readonly elements: readonly number[] }[];
}

function placesOf({ inputShapes, outputShape }: LayerProblem): Places {
  let inputs = 0;
  const parts = inputShapes.map((shape) => {
    const from = inputs;
    inputs += elementCount(shape);
    return { from, elements: broadcastPlaces(shape, outputShape) };
  });
  return { inputs, outputs: elementCount(outputShape), parts };
}

/** The numbers that are merged into element `element` of a sample's output. */
function numbersOf({ input }: LayerProblem, places: Places, sample: number, element: number): Bounded[] {
  return places.parts.map(({ from, elements }) =>
    exactly(input[sample * places.inputs + from + elements[element]!]!),
  );
}

function oracleOf({ value, gradient }: Merging): LayerOracle {
  return {
    forward(problem) {
      const places = placesOf(problem);
      const results = Array.from({ length: problem.count * places.outputs }, (_, i) =>
        value(numbersOf(problem, places, Math.floor(i / places.outputs), i % places.outputs)),
      );
      return bounded(results);
    },
    backward(problem, { values, bounds }) {
      const places = placesOf(problem);
      const { inputs, outputs, parts } = places;
      const results: Bounded[] = [];
      for (let sample = 0; sample < problem.count; sample++) {
        for (let element = 0; element < outputs; element++) {
          const at = sample * outputs + element;
          const gradOutput = { value: values[at]!, error: bounds[at]! };
          const numbers = numbersOf(problem, places, sample, element);
          parts.forEach(({ from, elements }, index) => {
            const to = sample * inputs + from + elements[element]!;
            const own = gradient(numbers, index, gradOutput);
            results[to] = results[to] === undefined ? own : add(results[to], own);
          });
        }
      }
      return { gradInput: bounded(results), parameters: {} };
    },
  };
}

function bounded(results: readonly Bounded[]): BoundedValues {
  return {
    values: Float64Array.from(results, ({ value }) => value),
    bounds: Float64Array.from(results, ({ error }) => error),
  };
}

export const multiplyOracle = oracleOf({
  value: (numbers) => numbers.reduce(multiply),
  gradient: (numbers, index, gradOutput) =>
    numbers.filter((_, i) => i !== index).reduce(multiply, gradOutput),
});

export const averageOracle = oracleOf({
  value: (numbers) => divide(numbers.reduce(add), exactly(numbers.length)),
  gradient: (numbers, _index, gradOutput) => divide(gradOutput, exactly(numbers.length)),
});

/** Nothing is rounded; the first of equal numbers counts. */
export const maximumOracle = oracleOf({
  value: (numbers) => numbers[winner(numbers)]!,
  gradient: (numbers, index, gradOutput) => (winner(numbers) === index ? gradOutput : { value: 0, error: 0 }),
});

function winner(numbers: readonly Bounded[]): number {
  const values = numbers.map(({ value }) => value);
  return values.indexOf(Math.max(...values));
}
