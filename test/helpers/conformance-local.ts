/** The oracle of locally connected layers: a matrix of its own for every output pixel, in naive loops. */
import { convGeometry, type Pair } from '../../src/tensor/convolution.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import { linearResult } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { withActivation } from './conformance-weights.ts';
import { absolute, type Values } from './oracle.ts';
import { roundoffBounds } from './tolerance.ts';

interface LocalConfig {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
}

/** A sequence is an image of one row. */
function geometryOf({ config, inputShape }: LayerProblem) {
  const { filters, kernelSize, strides } = config as LocalConfig;
  const pair = (value: Pair): Pair => (inputShape.length === 2 ? [1, value as number] : value);
  const shape = inputShape.length === 2 ? [1, ...inputShape] : inputShape;
  return convGeometry('oracle', shape, { filters, kernelSize: pair(kernelSize), strides: pair(strides) });
}

/** Calls `visit` with the elements of each product: output, input, weight. */
function forEachProduct(
  problem: LayerProblem,
  visit: (output: number, input: number, weight: number) => void,
): void {
  const g = geometryOf(problem);
  const patch = g.kernelHeight * g.kernelWidth * g.inChannels;
  const outputs = elementCount(problem.outputShape);
  for (let output = 0; output < problem.count * outputs; output++) {
    const sample = Math.floor(output / outputs);
    const pixel = Math.floor((output % outputs) / g.outChannels);
    const k = output % g.outChannels;
    const [oy, ox] = [Math.floor(pixel / g.outWidth), pixel % g.outWidth];
    for (let e = 0; e < patch; e++) {
      const tap = Math.floor(e / g.inChannels);
      const y = oy * g.strideY + Math.floor(tap / g.kernelWidth);
      const x = ox * g.strideX + (tap % g.kernelWidth);
      const input = ((sample * g.inHeight + y) * g.inWidth + x) * g.inChannels + (e % g.inChannels);
      visit(output, input, (pixel * patch + e) * g.outChannels + k);
    }
  }
}

export const locallyConnectedOracle: LayerOracle = withActivation({
  exactUnit: () => 1,
  forward(problem) {
    const { input, count, outputShape, parameters } = problem;
    const g = geometryOf(problem);
    const { weight, bias } = parameters;
    const outputs = elementCount(outputShape);
    const sums = (x: Values, w: Values, b: Values | undefined) => {
      const values = Float64Array.from({ length: count * outputs }, (_, i) => b?.[i % outputs] ?? 0);
      forEachProduct(problem, (o, i, at) => {
        values[o]! += x[i]! * w[at]!;
      });
      return values;
    };
    const n = g.kernelHeight * g.kernelWidth * g.inChannels + (bias === undefined ? 0 : 1);
    const magnitudes = sums(absolute(input), absolute(weight!), bias && absolute(bias));
    return { values: sums(input, weight!, bias), bounds: roundoffBounds(n, magnitudes) };
  },
  backward(problem, gradOutput) {
    const { input, count, parameters } = problem;
    const g = geometryOf(problem);
    const weight = parameters.weight!;
    const cover = Math.ceil(g.kernelHeight / g.strideY) * Math.ceil(g.kernelWidth / g.strideX);
    const back = (w: Values) => (dy: Values) => {
      const values = new Float64Array(input.length);
      forEachProduct(problem, (o, i, at) => {
        values[i]! += dy[o]! * w[at]!;
      });
      return values;
    };
    const correlate = (x: Values) => (dy: Values) => {
      const values = new Float64Array(weight.length);
      forEachProduct(problem, (o, i, at) => {
        values[at]! += dy[o]! * x[i]!;
      });
      return values;
    };
    const sumSamples = (dy: Values) =>
      Float64Array.from({ length: dy.length / count }, (_, at) =>
        Array.from({ length: count }, (_, n) => dy[n * (dy.length / count) + at]!).reduce((a, b) => a + b),
      );
    const bias = parameters.bias && { bias: linearResult(count, gradOutput, sumSamples, sumSamples) };
    return {
      gradInput: linearResult(cover * g.outChannels, gradOutput, back(weight), back(absolute(weight))),
      parameters: {
        weight: linearResult(count, gradOutput, correlate(input), correlate(absolute(input))),
        ...bias,
      },
    };
  },
});
