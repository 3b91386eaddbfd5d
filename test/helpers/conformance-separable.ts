/** The oracles of depthwise and separable convolution: grouped convolutions, one or two in a row. */
import { type ConvOptions, convGeometry } from '../../src/tensor/convolution.ts';
import { type BoundedValues, exactValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';
import { biasGradient, biasOf, conv2dOracle, passResult, withActivation } from './conformance-weights.ts';
import { direct } from './oracle-checks.ts';

type DepthwiseOptions = Omit<ConvOptions, 'filters'> & { readonly depthMultiplier: number };

/** The grouped convolution's options. */
function grouped({ config, inputShape }: LayerProblem) {
  const { depthMultiplier, ...window } = config as DepthwiseOptions;
  const channels = inputShape[2]!;
  return { ...window, filters: channels * depthMultiplier, groups: channels };
}

function asConv2d(problem: LayerProblem): LayerProblem {
  return { ...problem, config: { ...grouped(problem), flip: false, algorithm: 'direct' } };
}

export const depthwiseConv2dOracle: LayerOracle = {
  exactUnit: (problem) => conv2dOracle.exactUnit!(asConv2d(problem)),
  forward: (problem) => conv2dOracle.forward(asConv2d(problem)),
  backward: (problem, gradOutput) => conv2dOracle.backward(asConv2d(problem), gradOutput),
};

function passesOf(problem: LayerProblem) {
  const { inputShape, outputShape, count, input, parameters } = problem;
  const geometry = convGeometry('oracle', inputShape, grouped(problem));
  const inner = [geometry.outHeight, geometry.outWidth, geometry.outChannels];
  const filters = outputShape[2]!;
  const depthwise = { geometry, count, flip: false };
  const pointwise = { ...depthwise, geometry: convGeometry('oracle', inner, { filters, kernelSize: 1 }) };
  const [x, wd, wp] = [input, parameters.depthwiseWeight!, parameters.pointwiseWeight!].map(exactValues) as [
    BoundedValues,
    BoundedValues,
    BoundedValues,
  ];
  const zeros = (length: number) => new Float32Array(length);
  const between = zeros(count * inner.reduce((a, b) => a * b));
  return { depthwise, pointwise, x, wd, wp, between, zeros };
}

export const separableConv2dOracle = withActivation({
  exactUnit: () => 1,
  forward(problem) {
    const { depthwise, pointwise, x, wd, wp, between } = passesOf(problem);
    const z = passResult(direct, 'forward', depthwise, x, wd, between);
    return passResult(direct, 'forward', pointwise, z, wp, biasOf(problem));
  },
  backward(problem, gradOutput) {
    const { depthwise, pointwise, x, wd, wp, between, zeros } = passesOf(problem);
    const z = passResult(direct, 'forward', depthwise, x, wd, between);
    const dz = passResult(direct, 'inputGradient', pointwise, gradOutput, wp, between);
    const like = ({ values }: BoundedValues) => zeros(values.length);
    return {
      gradInput: passResult(direct, 'inputGradient', depthwise, dz, wd, like(x)),
      parameters: {
        depthwiseWeight: passResult(direct, 'weightGradient', depthwise, x, dz, like(wd)),
        pointwiseWeight: passResult(direct, 'weightGradient', pointwise, z, gradOutput, like(wp)),
        ...biasGradient(problem, gradOutput),
      },
    };
  },
});
