/**
 * The gradient of a dense layer with respect to its input.
 *
 *   gradOutput  [n, out], samples `gradOutputStride` elements apart
 *   weight      [in, out], packed for 'inputGradient' (dense-pack.ts)
 *   gradInput   [n, in], samples `gradInputStride` elements apart
 *
 *   gradInput[n, c] = start + sum over k of gradOutput[n, k] * weight[c, k]
 *
 * Order: the sum starts at +0, or where `accumulate` at the value gradInput holds, then k ascending; every
 * product and every sum is rounded to f32, in blocks as in dense-forward.ts where there are more than `LONG_SUM` outputs.
 * This is conv2d-input-gradient.ts with a 1x1 kernel on 1x1
 * images, and is computed by it.
 */
import { type Conv2dInputGradientSpec, conv2dInputGradient } from './conv2d-input-gradient.ts';
import { denseGeometry, sumBlocks, vectorView } from './dense-pack.ts';
import type { KernelFamily } from './kernel.ts';

export interface DenseInputGradientSpec {
  readonly kind: 'denseInputGradient';
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Elements from one sample to the next. */
  readonly gradOutputStride: number;
  readonly gradInputStride: number;
  /** Whether the result is added to what gradInput holds. */
  readonly accumulate: boolean;
}

export const denseInputGradient: KernelFamily<DenseInputGradientSpec> = {
  kind: 'denseInputGradient',
  args: (spec) => conv2dInputGradient.args(denseGradientConvolution(spec)),
  bind: (spec, heap) => conv2dInputGradient.bind(denseGradientConvolution(spec), heap),
  flops: (spec, count) => 2 * count * spec.inFeatures * spec.outFeatures,
};

/** The 1x1 convolution that does a dense layer's input gradient. */
export function denseGradientConvolution(spec: DenseInputGradientSpec): Conv2dInputGradientSpec {
  return {
    kind: 'conv2dInputGradient',
    geometry: denseGeometry(spec),
    gradOutput: vectorView(spec.outFeatures, spec.gradOutputStride),
    gradInput: vectorView(spec.inFeatures, spec.gradInputStride),
    accumulate: spec.accumulate,
    bias: false,
    activation: 'linear',
    ...sumBlocks(spec.outFeatures),
  };
}
