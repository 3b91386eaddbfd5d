/**
 * The three passes of a convolution on plain arrays: NHWC images, HWIO weights. Each packs the weights,
 * lays out the views with the halo they need (and `slack` beyond it) and runs the scalar kernels.
 */
import { conv2dForward } from '../../src/kernels/conv2d-forward.ts';
import { conv2dInputGradient } from '../../src/kernels/conv2d-input-gradient.ts';
import { type PackPass, packConv2d } from '../../src/kernels/conv2d-pack.ts';
import type { FusedActivation } from '../../src/kernels/conv2d-quad.ts';
import { conv2dWeightGradient } from '../../src/kernels/conv2d-weight-gradient.ts';
import { winogradForward } from '../../src/kernels/winograd-forward.ts';
import { inputGradientGeometry } from '../../src/kernels/winograd-geometry.ts';
import type { OutputTile } from '../../src/kernels/winograd-transforms.ts';
import { winogradWeightGradient } from '../../src/kernels/winograd-weight-gradient.ts';
import { winogradWeights } from '../../src/kernels/winograd-weights.ts';
import { type ConvGeometry, gradOutputHalo, inputHalo } from '../../src/tensor/convolution.ts';
import { type Slack, slackView } from './arbitraries.ts';
import type { Values } from './oracle.ts';
import { runKernel } from './run-kernel.ts';

/** What the passes take besides their arrays; all but `count` may be left out. */
export interface PassOptions {
  readonly count: number;
  readonly flip?: boolean | undefined;
  readonly slack?: Slack | undefined;
  readonly bias?: Values | undefined;
  readonly activation?: FusedActivation | undefined;
  /** The values the result is added to. */
  readonly onto?: Values | undefined;
  /** Of Winograd's kernels: the output of the ReLU that the result goes back through. */
  readonly gate?: Values | undefined;
}

const NO_SLACK: Slack = { halo: 0, gap: 0 };

function packed(g: ConvGeometry, weight: Values, pass: PackPass, flip: boolean): Values {
  return runKernel(packConv2d, { kind: 'packConv2d', geometry: g, pass, flip }, { weight }).packed!;
}

/** The view of a convolution's input, or of its gradient. */
function inputView(g: ConvGeometry, halo: number, slack: Slack = NO_SLACK) {
  return slackView(g.inHeight, g.inWidth, g.inChannels, halo, slack);
}

/** The view of a convolution's output, or of its gradient. */
function outputView(g: ConvGeometry, halo: number, slack: Slack = NO_SLACK) {
  return slackView(g.outHeight, g.outWidth, g.outChannels, halo, slack);
}

/** Output [count, Ho, Wo, K] of the direct kernel. */
export function directForward(
  g: ConvGeometry,
  input: Values,
  weight: Values,
  { count, flip = false, slack, bias, activation = 'linear' }: PassOptions,
): Float32Array {
  const spec = {
    kind: 'conv2dForward',
    geometry: g,
    input: inputView(g, inputHalo(g), slack),
    output: outputView(g, 0, slack),
    bias: bias !== undefined,
    activation,
  } as const;
  const arrays = { input, weight: packed(g, weight, 'forward', flip), ...(bias && { bias }) };
  return runKernel(conv2dForward, spec, arrays, { count }).output as Float32Array;
}

/** Gradient of the input [count, H, W, C] by the direct kernel; also the transposed convolution. */
export function directInputGradient(
  g: ConvGeometry,
  gradOutput: Values,
  weight: Values,
  { count, flip = false, slack, bias, activation = 'linear', onto }: PassOptions,
): Float32Array {
  const spec = {
    kind: 'conv2dInputGradient',
    geometry: g,
    gradOutput: outputView(g, gradOutputHalo(g), slack),
    gradInput: inputView(g, 0, slack),
    accumulate: onto !== undefined,
    bias: bias !== undefined,
    activation,
  } as const;
  const arrays = {
    gradOutput,
    weight: packed(g, weight, 'inputGradient', flip),
    ...(bias && { bias }),
    ...(onto && { gradInput: onto }),
  };
  return runKernel(conv2dInputGradient, spec, arrays, { count }).gradInput as Float32Array;
}

/** Gradient of the weights, HWIO, by the direct kernel. */
export function directWeightGradient(
  g: ConvGeometry,
  input: Values,
  gradOutput: Values,
  { count, flip = false, slack, onto }: PassOptions,
): Float32Array {
  const spec = {
    kind: 'conv2dWeightGradient',
    geometry: g,
    input: inputView(g, inputHalo(g), slack),
    gradOutput: outputView(g, 0, slack),
    accumulate: onto !== undefined,
    flip,
  } as const;
  const arrays = { input, gradOutput, ...(onto && { gradWeight: onto }) };
  return runKernel(conv2dWeightGradient, spec, arrays, { count }).gradWeight as Float32Array;
}

/** U, transformed weights in the layout of winograd-weights.ts. */
export function transformWeights(
  g: ConvGeometry,
  outputTile: OutputTile,
  weight: Values,
  pass: PackPass,
  flip = false,
): Float32Array {
  const spec = { kind: 'winogradWeights', geometry: g, outputTile, pass, flip } as const;
  return runKernel(winogradWeights, spec, { weight }).transformed as Float32Array;
}

/** The passes by Winograd's F(outputTile, 3); views have a halo of `slack.halo` only. */
export function winogradPasses(outputTile: OutputTile) {
  const run = (
    g: ConvGeometry,
    input: Values,
    weight: Values,
    { count, slack, bias, activation = 'linear', onto, gate }: PassOptions,
  ) => {
    const spec = {
      kind: 'winogradForward',
      geometry: g,
      outputTile,
      input: inputView(g, 0, slack),
      output: outputView(g, 0, slack),
      bias: bias !== undefined,
      accumulate: onto !== undefined,
      activation,
      ...(gate && { gate: outputView(g, 1, slack) }),
    } as const;
    const ends = { ...(bias && { bias }), ...(onto && { output: onto }), ...(gate && { gate }) };
    const arrays = { input, weight, ...ends };
    return runKernel(winogradForward, spec, arrays, { count }).output as Float32Array;
  };
  return {
    forward: (g: ConvGeometry, input: Values, weight: Values, options: PassOptions): Float32Array =>
      run(g, input, transformWeights(g, outputTile, weight, 'forward', options.flip), options),
    inputGradient: (
      g: ConvGeometry,
      gradOutput: Values,
      weight: Values,
      options: PassOptions,
    ): Float32Array =>
      run(
        inputGradientGeometry(g),
        gradOutput,
        transformWeights(g, outputTile, weight, 'inputGradient', options.flip),
        options,
      ),
    weightGradient: (
      g: ConvGeometry,
      input: Values,
      gradOutput: Values,
      { count, flip = false, slack, onto }: PassOptions,
    ): Float32Array => {
      const spec = {
        kind: 'winogradWeightGradient',
        geometry: g,
        outputTile,
        input: inputView(g, 0, slack),
        gradOutput: outputView(g, 0, slack),
        accumulate: onto !== undefined,
        flip,
      } as const;
      const arrays = { input, gradOutput, ...(onto && { gradWeight: onto }) };
      return runKernel(winogradWeightGradient, spec, arrays, { count }).gradWeight as Float32Array;
    },
  };
}
