/**
 * The oracles of layers that merge inputs of one shape element by element: each element of the output is a function of as
 * many numbers, and each of its derivatives times dY.
 */
import { elementCount } from '../../src/tensor/shape.ts';
import type { BoundedValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { add, type Bounded, divide, exactly, multiply } from './running-error.ts';

/** What becomes of an element's numbers, one an input. */
interface Merging {
  value(numbers: readonly Bounded[]): Bounded;
  /** dY times the derivative for number `index`. */
  gradient(numbers: readonly Bounded[], index: number, gradOutput: Bounded): Bounded;
}

/** The numbers of element `element` of a sample: its inputs lie one behind the other. */
function numbersOf(
  { input, inputShapes }: LayerProblem,
  sample: number,
  element: number,
): readonly Bounded[] {
  const length = elementCount(inputShapes[0]!);
  return inputShapes.map((_, i) => exactly(input[(sample * inputShapes.length + i) * length + element]!));
}

function oracleOf({ value, gradient }: Merging): LayerOracle {
  return {
    forward(problem) {
      const length = elementCount(problem.outputShape);
      const results = Array.from({ length: problem.count * length }, (_, i) =>
        value(numbersOf(problem, Math.floor(i / length), i % length)),
      );
      return bounded(results);
    },
    backward(problem, { values, bounds }) {
      const length = elementCount(problem.outputShape);
      const inputs = problem.inputShapes.length;
      const results = Array.from({ length: problem.count * inputs * length }, (_, i) => {
        const [sample, index] = [Math.floor(i / (inputs * length)), Math.floor(i / length) % inputs];
        const at = sample * length + (i % length);
        const gradOutput = { value: values[at]!, error: bounds[at]! };
        return gradient(numbersOf(problem, sample, i % length), index, gradOutput);
      });
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
