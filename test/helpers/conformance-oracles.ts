/**
 * What each layer computes, in f64: its output, the gradient of its input and those of its parameters, each
 * with the bound of f32's error. Made of the naive oracles beside this file.
 *
 * An activation that a layer is asked for is an oracle of its own, composed with the layer's: it does not
 * matter here whether the kernels fuse it.
 */
import { elementWord, streamKey } from '../../src/math/random.ts';
import { type ConvGeometry, type ConvOptions, convGeometry } from '../../src/tensor/convolution.ts';
import { type PoolOptions, poolOutputSize, poolWindow } from '../../src/tensor/pooling.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { activate, activationGradient, softmax, softmaxGradient } from './conformance-activations.ts';
import { type BoundedValues, exactValues, linearResult, roundingBound } from './conformance-bounds.ts';
import {
  absolute,
  channelSums,
  convForward,
  convInputGradient,
  convWeightGradient,
  type Values,
} from './oracle.ts';
import { denseForward, denseInputGradient, denseWeightGradient } from './oracle-dense.ts';
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './oracle-pool.ts';
import { transposedConvolution } from './conformance-transposed.ts';
import { roundoffBounds } from './tolerance.ts';

/** One layer on one batch, while training. */
export interface LayerProblem {
  readonly config: unknown;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly count: number;
  /** [count, ...inputShape]. */
  readonly input: Values;
  /** By their own names: weight, bias, ... */
  readonly parameters: Readonly<Record<string, Values>>;
  /** What addresses its random numbers. */
  readonly name: string;
  readonly seed: number;
  readonly step: number;
}

export interface LayerGradients {
  readonly gradInput: BoundedValues;
  readonly parameters: Readonly<Record<string, BoundedValues>>;
}

export interface LayerOracle {
  forward(problem: LayerProblem): BoundedValues;
  backward(problem: LayerProblem, gradOutput: BoundedValues): LayerGradients;
  /** Linear in the input, and in each parameter, wherever no activation follows; exact on integers. */
  readonly multilinear?: boolean;
}

interface WeightConfig {
  readonly activation: string;
  readonly useBias: boolean;
}

/** The activation applied to what `inner` computes; its alpha is the default one. */
function withActivation(inner: LayerOracle): LayerOracle {
  const alphaOf = (name: string) => (name === 'leakyRelu' ? 0.01 : 1);
  const nameOf = ({ config }: LayerProblem) => (config as WeightConfig).activation;
  return {
    multilinear: true,
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
      const gradient =
        name === 'softmax'
          ? softmaxGradient(problem.outputShape.at(-1)!, before, gradOutput)
          : activationGradient(name, alphaOf(name), before, gradOutput);
      return inner.backward(problem, gradient);
    },
  };
}

/** Gradient of a bias: one sum a channel. */
function biasGradient(gradOutput: BoundedValues, channels: number): BoundedValues {
  const sum = (values: Values) => channelSums(values, channels);
  return linearResult(gradOutput.values.length / channels, gradOutput, sum, sum);
}

const conv2d = withActivation({
  forward({ config, inputShape, count, input, parameters: { weight, bias } }) {
    const { conv, flip } = config as { conv: ConvOptions; flip: boolean };
    const g = convGeometry('oracle', inputShape, conv);
    const n = (g.inChannels / g.groups) * g.kernelHeight * g.kernelWidth + (bias === undefined ? 0 : 1);
    const magnitudes = convForward(g, absolute(input), absolute(weight!), count, {
      bias: bias && absolute(bias),
    });
    return {
      values: convForward(g, input, weight!, count, { bias, flip }),
      bounds: roundoffBounds(n, flipped(magnitudes, g, input, weight!, count, bias, flip)),
    };
  },
  backward({ config, inputShape, count, input, parameters: { weight, bias } }, gradOutput) {
    const { conv, flip } = config as { conv: ConvOptions; flip: boolean };
    const g = convGeometry('oracle', inputShape, conv);
    const outputs = count * g.outHeight * g.outWidth;
    const taps = (g.outChannels / g.groups) * g.kernelHeight * g.kernelWidth;
    return {
      gradInput: linearResult(
        taps,
        gradOutput,
        (dy) => convInputGradient(g, dy, weight!, count, { flip }),
        (dy) => convInputGradient(g, dy, absolute(weight!), count, { flip }),
      ),
      parameters: {
        weight: linearResult(
          outputs,
          gradOutput,
          (dy) => convWeightGradient(g, input, dy, count, { flip }),
          (dy) => convWeightGradient(g, absolute(input), dy, count, { flip }),
        ),
        ...(bias && { bias: biasGradient(gradOutput, g.outChannels) }),
      },
    };
  },
});
