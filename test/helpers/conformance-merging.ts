/** The oracles of layers with several inputs. A sample holds its first input, then the second, and so on. */
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { type BoundedValues, exactValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { gamma } from './tolerance.ts';

/** Calls `body` with each element: its place in the inputs, and in one input of its sample. */
function forEachInput(
  { inputShapes, count }: Pick<LayerProblem, 'inputShapes' | 'count'>,
  body: (at: number, place: { sample: number; input: number; element: number }) => void,
): void {
  let at = 0;
  for (let sample = 0; sample < count; sample++) {
    inputShapes.forEach((shape, input) => {
      for (let element = 0; element < elementCount(shape); element++) body(at++, { sample, input, element });
    });
  }
}

/** Sums of k values: k - 1 roundings, none of which underflows. */
export const addOracle: LayerOracle = {
  exactUnit: () => 1,
  forward(problem) {
    const { input, inputShapes, outputShape, count } = problem;
    const length = elementCount(outputShape);
    const values = new Float64Array(count * length);
    const magnitudes = new Float64Array(count * length);
    forEachInput(problem, (at, { sample, element }) => {
      values[sample * length + element]! += input[at]!;
      magnitudes[sample * length + element]! += Math.abs(input[at]!);
    });
    return { values, bounds: magnitudes.map((sum) => gamma(inputShapes.length - 1) * sum) };
  },
  backward(problem, gradOutput) {
    const length = elementCount(problem.outputShape);
    return {
      gradInput: gathered(problem, gradOutput, (sample, _input, element) => sample * length + element),
      parameters: {},
    };
  },
};

/** The channels of each pixel side by side; nothing is rounded. */
export const concatenateOracle: LayerOracle = {
  exactUnit: () => 1,
  forward(problem) {
    const { input, outputShape, count } = problem;
    const values = new Float64Array(count * elementCount(outputShape));
    const place = placeInOutput(problem);
    forEachInput(problem, (at, { sample, input: index, element }) => {
      values[place(sample, index, element)] = input[at]!;
    });
    return exactValues(values);
  },
  backward: (problem, gradOutput) => ({
    gradInput: gathered(problem, gradOutput, placeInOutput(problem)),
    parameters: {},
  }),
};

type Place = (sample: number, input: number, element: number) => number;

/** Where an input's element lies in the output. */
function placeInOutput({ inputShapes, outputShape }: LayerProblem): Place {
  const channels = (shape: Shape) => shape.at(-1)!;
  return (sample, input, element) => {
    const own = channels(inputShapes[input]!);
    const before = inputShapes.slice(0, input).reduce((sum, shape) => sum + channels(shape), 0);
    const pixel = Math.floor(element / own);
    return sample * elementCount(outputShape) + pixel * channels(outputShape) + before + (element % own);
  };
}

/** Each input's element of a gradient of the output, as it is. */
function gathered(problem: LayerProblem, { values, bounds }: BoundedValues, place: Place): BoundedValues {
  const length = problem.inputShapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  const result = exactValues(new Float64Array(problem.count * length));
  forEachInput(problem, (at, { sample, input, element }) => {
    result.values[at] = values[place(sample, input, element)]!;
    result.bounds[at] = bounds[place(sample, input, element)]!;
  });
  return result;
}
