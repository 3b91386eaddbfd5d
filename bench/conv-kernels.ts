/**
 * The kernels of one convolution, as the layer builds them (src/layers/conv-passes.ts): pass by pass, algorithm
 * by algorithm, without bias and activation, so that a pass is one contraction.
 */
import type { Conv2dForwardSpec } from '../src/kernels/conv2d-forward.ts';
import { worthCopying } from '../src/kernels/conv2d-gradient-blocks.ts';
import type { Conv2dInputGradientSpec } from '../src/kernels/conv2d-input-gradient.ts';
import type { PackConv2dSpec } from '../src/kernels/conv2d-pack.ts';
import type { Conv2dWeightGradientSpec } from '../src/kernels/conv2d-weight-gradient.ts';
import type { KernelSpec } from '../src/kernels/kernel.ts';
import type { WinogradForwardSpec } from '../src/kernels/winograd-forward.ts';
import { inputGradientGeometry, winogradFits } from '../src/kernels/winograd-geometry.ts';
import type { WinogradWeightGradientSpec } from '../src/kernels/winograd-weight-gradient.ts';
import type { WinogradWeightsSpec } from '../src/kernels/winograd-weights.ts';
import { type ConvGeometry, gradOutputHalo, inputHalo } from '../src/tensor/convolution.ts';
import { denseView, type View } from '../src/tensor/view.ts';

export type ConvPass = 'forward' | 'inputGradient' | 'weightGradient';
export type ConvAlgorithm = 'direct' | 'F(2,3)' | 'F(4,3)';

export const CONV_PASSES: readonly ConvPass[] = ['forward', 'inputGradient', 'weightGradient'];

/** One pass by one algorithm. */
export interface ConvKernel {
  readonly pass: ConvPass;
  readonly algorithm: ConvAlgorithm;
  readonly spec: KernelSpec;
  /** Prepares the weights that `spec` reads; the weight gradient reads none. */
  readonly prepare: KernelSpec | undefined;
  /** What lies in which argument of the kernel. */
  readonly sources: readonly { readonly argument: string; readonly is: 'input' | 'gradOutput' }[];
  readonly result: string;
}

/** Where a convolution's images lie. */
export interface ConvViews {
  readonly input: View;
  readonly output: View;
}

/** Views with the halos that a layer asks for. */
export function convViews(g: ConvGeometry): ConvViews {
  return {
    input: denseView(g.inHeight, g.inWidth, g.inChannels, inputHalo(g)),
    output: denseView(g.outHeight, g.outWidth, g.outChannels, gradOutputHalo(g)),
  };
}

/** The algorithms that fit a convolution. */
export function algorithmsFor(g: ConvGeometry): readonly ConvAlgorithm[] {
  return winogradFits(g) ? ['direct', 'F(2,3)', 'F(4,3)'] : ['direct'];
}

/** The kernel of a pass. */
export function convKernel(g: ConvGeometry, pass: ConvPass, algorithm: ConvAlgorithm): ConvKernel {
  const views = convViews(g);
  if (pass === 'forward') return forwardKernel(g, views, algorithm);
  if (pass === 'inputGradient') return inputGradientKernel(g, views, algorithm);
  return weightGradientKernel(g, views, algorithm);
}

function forwardKernel(g: ConvGeometry, views: ConvViews, algorithm: ConvAlgorithm): ConvKernel {
  const common = { geometry: g, ...views, bias: false, activation: 'linear' } as const;
  const direct: Conv2dForwardSpec = { kind: 'conv2dForward', ...common };
  const winograd = (): WinogradForwardSpec => ({
    kind: 'winogradForward',
    outputTile: tileOf(algorithm),
    ...common,
  });
  return {
    pass: 'forward',
    algorithm,
    spec: algorithm === 'direct' ? direct : winograd(),
    prepare: prepareSpec(g, 'forward', algorithm),
    sources: [{ argument: 'input', is: 'input' }],
    result: 'output',
  };
}

function inputGradientKernel(g: ConvGeometry, views: ConvViews, algorithm: ConvAlgorithm): ConvKernel {
  const common = { accumulate: false, bias: false, activation: 'linear' } as const;
  const pass = 'inputGradient';
  const prepare = prepareSpec(g, pass, algorithm);
  if (algorithm === 'direct') {
    const spec: Conv2dInputGradientSpec = {
      kind: 'conv2dInputGradient',
      geometry: g,
      gradOutput: views.output,
      gradInput: views.input,
      ...common,
    };
    const sources = [{ argument: 'gradOutput', is: 'gradOutput' }] as const;
    return { pass, algorithm, spec, prepare, sources, result: 'gradInput' };
  }
  const spec: WinogradForwardSpec = {
    kind: 'winogradForward',
    geometry: inputGradientGeometry(g),
    outputTile: tileOf(algorithm),
    input: views.output,
    output: views.input,
    ...common,
  };
  const sources = [{ argument: 'input', is: 'gradOutput' }] as const;
  return { pass, algorithm, spec, prepare, sources, result: 'output' };
}

function weightGradientKernel(g: ConvGeometry, views: ConvViews, algorithm: ConvAlgorithm): ConvKernel {
  const common = {
    geometry: g,
    input: views.input,
    gradOutput: views.output,
    accumulate: false,
    flip: false,
  } as const;
  const copied = worthCopying(common);
  const direct: Conv2dWeightGradientSpec = { kind: 'conv2dWeightGradient', ...common, copied };
  const winograd = (): WinogradWeightGradientSpec => ({
    kind: 'winogradWeightGradient',
    outputTile: tileOf(algorithm),
    ...common,
  });
  return {
    pass: 'weightGradient',
    algorithm,
    spec: algorithm === 'direct' ? direct : winograd(),
    prepare: undefined,
    sources: [
      { argument: 'input', is: 'input' },
      { argument: 'gradOutput', is: 'gradOutput' },
    ],
    result: 'gradWeight',
  };
}

function prepareSpec(
  geometry: ConvGeometry,
  pass: 'forward' | 'inputGradient',
  algorithm: ConvAlgorithm,
): PackConv2dSpec | WinogradWeightsSpec {
  if (algorithm === 'direct') return { kind: 'packConv2d', geometry, pass, flip: false };
  return { kind: 'winogradWeights', geometry, outputTile: tileOf(algorithm), pass, flip: false };
}

function tileOf(algorithm: ConvAlgorithm): 2 | 4 {
  return algorithm === 'F(2,3)' ? 2 : 4;
}
