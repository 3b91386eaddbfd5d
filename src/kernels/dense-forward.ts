/**
 * The forward pass of a dense layer, with bias and ReLU.
 *
 *   input   [n, in], samples `inputStride` elements apart
 *   weight  [in, out], packed for 'forward' (dense-pack.ts)
 *   bias    [out], an argument only where `spec.bias`
 *   output  [n, out], samples `outputStride` elements apart
 *
 *   output[n, k] = activation(bias[k] + sum over c of input[n, c] * weight[c, k])
 *
 * Order: the sum starts at bias[k] (or +0), then c ascending; every product and every sum is rounded to
 * f32. More than `LONG_SUM` inputs are summed by blocks of `SUM_BLOCK`, each from +0 on, the blocks' sums ascending.
 * This is conv2d-forward.ts with a 1x1 kernel on 1x1 images, and is computed by it.
 */
import { type Conv2dForwardSpec, conv2dForward } from './conv2d-forward.ts';
import type { FusedActivation } from './conv2d-quad.ts';
import { denseGeometry, sumBlocks, vectorView } from './dense-pack.ts';
import type { KernelFamily } from './kernel.ts';

export interface DenseForwardSpec {
  readonly kind: 'denseForward';
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Elements from one sample to the next. */
  readonly inputStride: number;
  readonly outputStride: number;
  readonly bias: boolean;
  readonly activation: FusedActivation;
}

export const denseForward: KernelFamily<DenseForwardSpec> = {
  kind: 'denseForward',
  args: (spec) => conv2dForward.args(denseForwardConvolution(spec)),
  bind: (spec, heap) => conv2dForward.bind(denseForwardConvolution(spec), heap),
  flops: (spec, count) => 2 * count * spec.inFeatures * spec.outFeatures,
};

/** The 1x1 convolution that does a dense layer's forward pass. */
export function denseForwardConvolution(spec: DenseForwardSpec): Conv2dForwardSpec {
  return {
    kind: 'conv2dForward',
    geometry: denseGeometry(spec),
    input: vectorView(spec.inFeatures, spec.inputStride),
    output: vectorView(spec.outFeatures, spec.outputStride),
    bias: spec.bias,
    activation: spec.activation,
    ...sumBlocks(spec.inFeatures),
  };
}
