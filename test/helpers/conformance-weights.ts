/**
 * Oracles of the layers with weights: convolution, transposed convolution, dense. Each computes its linear
 * part; the activation that the layer is asked for is composed with it, so it does not matter here whether
 * the kernels fuse it.
 */
import { type ConvAlgorithm, chooseTile } from '../../src/layers/conv-algorithm.ts';
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  samePadding,
} from '../../src/tensor/convolution.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { activate, activationGradient, softmax, softmaxGradient } from './conformance-activations.ts';
import { type BoundedValues, exactValues, largest, linearResult } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { absolute, channelSums, convTransposed, type Values } from './oracle.ts';
import { direct, oraclePass, type PassName, type PassProblem, type Subject } from './oracle-checks.ts';
import { denseForward, denseInputGradient, denseWeightGradient } from './oracle-dense.ts';
import { winograd } from './oracle-winograd.ts';
import { addBounds, roundoffBounds } from './tolerance.ts';

/** The activation of `config.activation`, with its default alpha, applied to what `inner` computes. */
export function withActivation(inner: LayerOracle): LayerOracle {
  const alphaOf = (name: string) => (name === 'leakyRelu' ? 0.01 : 1);
  const nameOf = ({ config }: LayerProblem) => (config as { activation: string }).activation;
  return {
    exactUnit: (problem) => (nameOf(problem) === 'linear' ? inner.exactUnit?.(problem) : undefined),
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

/** The bias' gradient where there is one: a sum a channel. */
export function biasGradient(problem: LayerProblem, gradOutput: BoundedValues): { bias?: BoundedValues } {
  const { bias } = problem.parameters;
  if (bias === undefined) return {};
  const sum = (values: Values) => channelSums(values, bias.length);
  return { bias: linearResult(gradOutput.values.length / bias.length, gradOutput, sum, sum) };
}

/** The bias at every element of the output, or zeros. */
export function biasOf({ count, outputShape, parameters: { bias } }: LayerProblem): Float32Array {
  const length = outputShape.reduce((product, extent) => product * extent, count);
  return Float32Array.from({ length }, (_, i) => bias?.[i % bias.length] ?? 0);
}

/** A convolution's pass on operands that are themselves uncertain: their errors pass through it, unrounded. */
export function passResult(
  subject: Subject,
  pass: PassName,
  problem: PassProblem,
  a: BoundedValues,
  b: BoundedValues,
  start: Float32Array,
): BoundedValues {
  const values = oraclePass(pass, problem, a.values, b.values, start);
  const none = new Float32Array(values.length);
  const bounds = addBounds(
    subject.bounds(pass, problem, largest(a), largest(b), start),
    oraclePass(pass, problem, a.bounds, largest(b), none),
    oraclePass(pass, problem, absolute(a.values), b.bounds, none),
  );
  return { values, bounds };
}

export const conv2dOracle = withActivation({
  // Winograd's transforms have divisors.
  exactUnit: (problem) => (convolutionOf(problem).subject === direct ? 1 : undefined),
  forward(problem) {
    const { subject, ...pass } = convolutionOf(problem);
    const { input, parameters } = problem;
    const [x, w] = [exactValues(input), exactValues(parameters.weight!)];
    return passResult(subject, 'forward', pass, x, w, biasOf(problem));
  },
  backward(problem, gradOutput) {
    const { subject, ...pass } = convolutionOf(problem);
    const { input, parameters } = problem;
    const [x, w] = [exactValues(input), exactValues(parameters.weight!)];
    const zeros = (like: BoundedValues) => new Float32Array(like.values.length);
    return {
      gradInput: passResult(subject, 'inputGradient', pass, gradOutput, w, zeros(x)),
      parameters: {
        weight: passResult(subject, 'weightGradient', pass, x, gradOutput, zeros(w)),
        ...biasGradient(problem, gradOutput),
      },
    };
  },
});

function convolutionOf({ config, inputShape, count }: LayerProblem) {
  const conv = config as ConvOptions & { flip: boolean; algorithm: ConvAlgorithm };
  const { flip, algorithm } = conv;
  const geometry = convGeometry('oracle', inputShape, conv);
  const tile = chooseTile(geometry, 'fast', algorithm);
  return { geometry, count, flip, subject: tile === 0 ? direct : winograd(tile) };
}

/** Forward, each pixel lays its weights over the output; backward, the passes of the convolution back. */
export const conv2dTransposeOracle = withActivation({
  exactUnit: () => 1,
  forward(problem) {
    const pass = transposedOf(problem);
    const { geometry: g } = pass;
    const { input, parameters, count } = problem;
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
    const bias = biasOf(problem);
    const sums = convTransposed(options, input, parameters.weight!, count);
    return {
      values: sums.map((sum, i) => sum + bias[i]!),
      bounds: direct.bounds('inputGradient', pass, input, parameters.weight!, bias),
    };
  },
  backward(problem, gradOutput) {
    const pass = transposedOf(problem);
    const { input, parameters } = problem;
    const [x, w] = [exactValues(input), exactValues(parameters.weight!)];
    const zeros = (like: BoundedValues) => new Float32Array(like.values.length);
    return {
      gradInput: passResult(direct, 'forward', pass, gradOutput, w, zeros(x)),
      parameters: {
        weight: passResult(direct, 'weightGradient', pass, gradOutput, x, zeros(w)),
        ...biasGradient(problem, gradOutput),
      },
    };
  },
});

/** The convolution from the layer's output back to its input. */
function transposedOf({ config, inputShape, outputShape, count }: LayerProblem): PassProblem {
  const conv = config as ConvOptions;
  const geometry = convGeometry('oracle', outputShape, {
    ...conv,
    filters: inputShape[2]!,
    padding: pixelsOf(conv, outputShape),
  });
  return { geometry, count, flip: false };
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
  exactUnit: () => 1,
  forward(problem) {
    const { input, count, parameters } = problem;
    const { weight, bias } = parameters;
    const shape = featuresOf(problem);
    const magnitudes = denseForward(shape, absolute(input), absolute(weight!), count, bias && absolute(bias));
    return {
      values: denseForward(shape, input, weight!, count, bias),
      bounds: roundoffBounds(shape.inFeatures + (bias === undefined ? 0 : 1), magnitudes),
    };
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
