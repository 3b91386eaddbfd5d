/**
 * Packs the weights of a dense layer into panels of 16 outputs. A dense layer is a 1x1 convolution whose
 * pixels are the samples; `denseGeometry` says so to the convolution kernels that do the dense layer's work.
 *
 *   weight  [in, out]
 *   packed  for each panel of 16 outputs: [inner][width], as in conv2d-pack.ts
 *
 *   'forward'        outputs are the layer's outputs, inner its inputs
 *   'inputGradient'  outputs are the layer's inputs, inner its outputs
 */
import { type ConvGeometry, convGeometry } from '../tensor/convolution.ts';
import type { View } from '../tensor/view.ts';
import { type PackConv2dSpec, type PackPass, packConv2d } from './conv2d-pack.ts';
import type { KernelFamily } from './kernel.ts';

export interface PackDenseSpec {
  readonly kind: 'packDense';
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly pass: PackPass;
}

/** The 1x1 convolution of 1x1 images that a dense layer is. */
export function denseGeometry(spec: {
  readonly inFeatures: number;
  readonly outFeatures: number;
}): ConvGeometry {
  return convGeometry('dense', [1, 1, spec.inFeatures], { filters: spec.outFeatures, kernelSize: 1 });
}

/** Sums of more products than these are cut into blocks: shorter ones gain little, and keep the bits they had. */
export const LONG_SUM = 2048;
/** Products of a block. */
export const SUM_BLOCK = 256;

/** How a dense layer's sums of so many products are cut: `sumBlock` of the convolution that computes them. */
export function sumBlocks(products: number): { readonly sumBlock?: number } {
  return products > LONG_SUM ? { sumBlock: SUM_BLOCK } : {};
}

/** Vectors `[n, features]`, `stride` elements apart, as 1x1 images. */
export function vectorView(features: number, stride: number): View {
  return {
    height: 1,
    width: 1,
    channels: features,
    pixelStride: features,
    rowStride: features,
    imageStride: stride,
    halo: 0,
  };
}

export const packDense: KernelFamily<PackDenseSpec> = {
  kind: 'packDense',
  args: (spec) => packConv2d.args(densePackConvolution(spec)),
  bind: (spec, heap) => packConv2d.bind(densePackConvolution(spec), heap),
};

/** The 1x1 convolution whose weights are packed. */
export function densePackConvolution(spec: PackDenseSpec): PackConv2dSpec {
  return { kind: 'packConv2d', geometry: denseGeometry(spec), pass: spec.pass, flip: false };
}
