/**
 * Oracles of the layers with weights: convolution, transposed convolution, dense. Each computes its linear
 * part; the activation that the layer is asked for is composed with it, so it does not matter here whether
 * the kernels fuse it.
 */
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  samePadding,
} from '../../src/tensor/convolution.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { activate, activationGradient, softmax, softmaxGradient } from './conformance-activations.ts';
import { type BoundedValues, linearResult } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import {
  absolute,
  channelSums,
  convForward,
  convInputGradient,
  convTransposed,
  convWeightGradient,
  type Values,
} from './oracle.ts';
import { denseForward, denseInputGradient, denseWeightGradient } from './oracle-dense.ts';
import { roundoffBounds } from './tolerance.ts';

/** The activation of `config.activation`, with its default alpha, applied to what `inner` computes. */
function withActivation(inner: LayerOracle): LayerOracle {
  const alphaOf = (name: string) => (name === 'leakyRelu' ? 0.01 : 1);
  const nameOf = ({ config }: LayerProblem) => (config as { activation: string }).activation;
  return {
    exactUnit: (config) => ((config as { activation: string }).activation === 'linear' ? 1 : undefined),
    forward(problem) {
      const name = nameOf(problem);
      const before = inner.forward(problem);
      if (name === 'softmax') return softmax(problem.outputShape.at(-1)!, before);
      return activate(name, alphaOf(name), before);
    },
    backward(problem, gradOutput) {
      const name = nameOf(problem);
      if (name === 'linear') return inner.backward(problem, gradOutput);
      const before = inner.forward(problem);
      if (name === 'softmax') {
        return inner.backward(problem, softmaxGradient(problem.outputShape.at(-1)!, before, gradOutput));
      }
      return inner.backward(problem, activationGradient(name, alphaOf(name), before, gradOutput));
    },
  };
}

/** A forward pass that is a sum of n products, and the bias. */
function weightedSum(
  n: number,
  { input, parameters: { weight, bias } }: LayerProblem,
  sum: (input: Values, weight: Values, bias: Values | undefined) => Float64Array,
): BoundedValues {
  const magnitudes = sum(absolute(input), absolute(weight!), bias && absolute(bias));
  return {
    values: sum(input, weight!, bias),
    bounds: roundoffBounds(n + (bias === undefined ? 0 : 1), magnitudes),
  };
}

/** The bias' gradient where there is one: a sum a channel. */
function biasGradient(problem: LayerProblem, gradOutput: BoundedValues): { bias?: BoundedValues } {
  const { bias } = problem.parameters;
  if (bias === undefined) return {};
  const sum = (values: Values) => channelSums(values, bias.length);
  return { bias: linearResult(gradOutput.values.length / bias.length, gradOutput, sum, sum) };
}

/** Products of a forward sum over one group's channels. */
const taps = (g: ConvGeometry, channels: number) => (channels / g.groups) * g.kernelHeight * g.kernelWidth;

export const conv2dOracle = withActivation({
  forward(problem) {
    const { g, flip } = convolutionOf(problem);
    return weightedSum(taps(g, g.inChannels), problem, (input, weight, bias) =>
      convForward(g, input, weight, problem.count, { bias, flip }),
    );
  },
  backward(problem, gradOutput) {
    const { g, flip } = convolutionOf(problem);
    const { input, count, parameters } = problem;
    const weight = parameters.weight!;
    return {
      gradInput: linearResult(
        taps(g, g.outChannels),
        gradOutput,
        (dy) => convInputGradient(g, dy, weight, count, { flip }),
        (dy) => convInputGradient(g, dy, absolute(weight), count, { flip }),
      ),
      parameters: {
        weight: linearResult(
          count * g.outHeight * g.outWidth,
          gradOutput,
          (dy) => convWeightGradient(g, input, dy, count, { flip }),
          (dy) => convWeightGradient(g, absolute(input), dy, count, { flip }),
        ),
        ...biasGradient(problem, gradOutput),
      },
    };
  },
});

function convolutionOf({ config, inputShape }: LayerProblem) {
  const { conv, flip } = config as { conv: ConvOptions; flip: boolean };
  return { g: convGeometry('oracle', inputShape, conv), flip };
}

/** Forward, each pixel lays its weights over the output; backward, a plain convolution. */
export const conv2dTransposeOracle = withActivation({
  forward(problem) {
    const g = transposedOf(problem);
    const options = {
      inHeight: g.outHeight,
      inWidth: g.outWidth,
      inChannels: g.outChannels,
      filters: g.inChannels,
      kernelSize: [g.kernelHeight, g.kernelWidth],
      strides: [g.strideY, g.strideX],
      dilation: [g.dilationY, g.dilationX],
      padding: g.padding,
      outputPadding: outputPaddingOf(g),
      groups: g.groups,
    } as const;
    return weightedSum(taps(g, g.outChannels), problem, (input, weight, bias) => {
      const sums = convTransposed(options, input, weight, problem.count);
      return bias === undefined ? sums : sums.map((sum, i) => sum + bias[i % g.inChannels]!);
    });
  },
  backward(problem, gradOutput) {
    const g = transposedOf(problem);
    const { input, count, parameters } = problem;
    const weight = parameters.weight!;
    return {
      gradInput: linearResult(
        taps(g, g.inChannels),
        gradOutput,
        (dy) => convForward(g, dy, weight, count),
        (dy) => convForward(g, dy, absolute(weight), count),
      ),
      parameters: {
        weight: linearResult(
          count * g.outHeight * g.outWidth,
          gradOutput,
          (dy) => convWeightGradient(g, dy, input, count),
          (dy) => convWeightGradient(g, dy, absolute(input), count),
        ),
        ...biasGradient(problem, gradOutput),
      },
    };
  },
});

/** The convolution from the layer's output back to its input. */
function transposedOf({ config, inputShape, outputShape }: LayerProblem): ConvGeometry {
  const { conv } = config as { conv: ConvOptions };
  return convGeometry('oracle', outputShape, {
    ...conv,
    filters: inputShape[2]!,
    padding: pixelsOf(conv, outputShape),
  });
}

function pixelsOf(conv: ConvOptions, outputShape: Shape) {
  if (conv.padding !== 'same') return conv.padding ?? 'valid';
  const pair = (value: ConvOptions['strides']) => (typeof value === 'number' ? [value, value] : value!);
  const [kernel, strides, dilation] = [conv.kernelSize, conv.strides, conv.dilationRate].map(pair);
  const sides = [0, 1].map((axis) =>
    samePadding(outputShape[axis]!, kernel![axis]!, strides![axis]!, dilation![axis]!),
  );
  const [[top, bottom], [left, right]] = sides as [readonly [number, number], readonly [number, number]];
  return { top, right, bottom, left };
}

/** Rows and columns of the output that the last window does not reach. */
function outputPaddingOf(g: ConvGeometry): readonly [number, number] {
  const reach = (size: number, kernel: number, stride: number, dilation: number, pads: number) =>
    (size - 1) * stride - pads + dilation * (kernel - 1) + 1;
  const { top, right, bottom, left } = g.padding;
  return [
    g.inHeight - reach(g.outHeight, g.kernelHeight, g.strideY, g.dilationY, top + bottom),
    g.inWidth - reach(g.outWidth, g.kernelWidth, g.strideX, g.dilationX, left + right),
  ];
}

export const denseOracle = withActivation({
  forward(problem) {
    const shape = featuresOf(problem);
    return weightedSum(shape.inFeatures, problem, (input, weight, bias) =>
      denseForward(shape, input, weight, problem.count, bias),
    );
  },
  backward(problem, gradOutput) {
    const shape = featuresOf(problem);
    const { input, count, parameters } = problem;
    const weight = parameters.weight!;
    return {
      gradInput: linearResult(
        shape.outFeatures,
        gradOutput,
        (dy) => denseInputGradient(shape, dy, weight, count),
        (dy) => denseInputGradient(shape, dy, absolute(weight), count),
      ),
      parameters: {
        weight: linearResult(
          count,
          gradOutput,
          (dy) => denseWeightGradient(shape, input, dy, count),
          (dy) => denseWeightGradient(shape, absolute(input), dy, count),
        ),
        ...biasGradient(problem, gradOutput),
      },
    };
  },
});

function featuresOf({ inputShape, outputShape }: LayerProblem) {
  return { inFeatures: inputShape[0]!, outFeatures: outputShape[0]! };
}
