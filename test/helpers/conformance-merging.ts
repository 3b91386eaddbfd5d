/** The oracles of layers with several inputs. A sample holds its first input, then the second, and so on. */
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { broadcastPlaces } from './broadcasting.ts';
import { type BoundedValues, exactValues } from './conformance-bounds.ts';
import { linearMapOracle, type Term } from './conformance-linear.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';

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

/** Each element of the output is a sum of one element of each input, which may stand for several. */
const sums = linearMapOracle(({ inputShapes, outputShape }) => {
  const terms: Term[][] = Array.from({ length: elementCount(outputShape) }, () => []);
  let from = 0;
  for (const shape of inputShapes) {
    broadcastPlaces(shape, outputShape).forEach((element, i) => {
      terms[i]!.push([from + element, 1]);
    });
    from += elementCount(shape);
  }
  return terms;
});

/** The sums, over all that a sample holds. */
export const addOracle: LayerOracle = {
  exactUnit: () => 1,
  forward: (problem) => sums.forward(joined(problem)),
  backward: (problem, gradOutput) => sums.backward(joined(problem), gradOutput),
};

function joined(problem: LayerProblem): LayerProblem {
  const length = problem.inputShapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  return { ...problem, inputShape: [length] };
}

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
