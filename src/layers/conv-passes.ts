/**
 * The three passes of a convolution as kernel calls, by the algorithm that was chosen for it, and what layers make of
 * them: y = activation(x # w + b), and all of its gradients.
 */
import type { ActivationBackwardSpec } from '../kernels/activation-backward.ts';
import type { ChannelSumSpec } from '../kernels/channel-sum.ts';
import type { Conv2dForwardSpec } from '../kernels/conv2d-forward.ts';
import { blockScratchLength, worthCopying } from '../kernels/conv2d-gradient-blocks.ts';
import type { Conv2dInputGradientSpec } from '../kernels/conv2d-input-gradient.ts';
import { type PackConv2dSpec, type PackPass, packedLength } from '../kernels/conv2d-pack.ts';
import type { Conv2dWeightGradientSpec } from '../kernels/conv2d-weight-gradient.ts';
import { scratchLength, type WinogradForwardSpec } from '../kernels/winograd-forward.ts';
import { inputGradientGeometry } from '../kernels/winograd-geometry.ts';
import type { OutputTile } from '../kernels/winograd-transforms.ts';
import {
  gradientScratchLength,
  type WinogradWeightGradientSpec,
} from '../kernels/winograd-weight-gradient.ts';
import { transformedLength, type WinogradWeightsSpec } from '../kernels/winograd-weights.ts';
import type { ConvGeometry } from '../tensor/convolution.ts';
import type { BackwardContext, BufferRef, ForwardContext, GradientRef, TensorRef } from './layer.ts';
import { type EndConfig, fusedActivation } from './options.ts';

/** A convolution with everything decided. */
export interface Convolution {
  readonly geometry: ConvGeometry;
  /** Whether the stored weights are a true convolution's. */
  readonly flip: boolean;
  /** Output tile of Winograd's algorithm, or 0 for the direct kernels. */
  readonly tile: 0 | OutputTile;
  /** The layer's parameter that holds the weights; default 'weight'. */
  readonly weight?: string;
}

/** y = activation(x # w + b), the bias where the configuration has one. */
export function forwardConvolution(context: ForwardContext<EndConfig>, convolution: Convolution): void {
  const { config, inputs, output } = context;
  const bias = config.useBias ? context.parameter('bias') : undefined;
  const end = { bias, activation: fusedActivation(config) };
  emitConvolution(context, convolution, inputs[0]!, output, end);
}

/** All gradients of `forwardConvolution`. */
export function backwardConvolution(context: BackwardContext<EndConfig>, convolution: Convolution): void {
  const { config, inputs, gradOutput } = context;
  backwardEnd(context, config);
  const weight = context.gradParameter('weight');
  if (weight !== undefined) emitWeightGradient(context, convolution, inputs[0]!, gradOutput, weight);
  const gradInput = context.gradInput();
  if (gradInput !== undefined) emitInputGradient(context, convolution, gradOutput, gradInput);
}

/** The gradient through the activation, in place, where the kernel fused one, and the bias' gradient. */
export function backwardEnd<C>(context: BackwardContext<C>, config: EndConfig): void {
  if (fusedActivation(config) === 'relu') reluGate(context, context.output);
  const bias = config.useBias ? context.gradParameter('bias') : undefined;
  if (bias !== undefined) emitBiasGradient(context, context.gradOutput, bias);
}

/** `dO = dY * relu'(y)` in place, where the forward kernel applied ReLU while storing. */
export function reluGate<C>(context: BackwardContext<C>, output: TensorRef): void {
  const spec: ActivationBackwardSpec = {
    kind: 'activationBackward',
    function: 'relu',
    alpha: 1,
    saved: output.view,
    gradOutput: context.gradOutput.view,
    gradInput: context.gradOutput.view,
    accumulate: false,
  };
  const { origin } = context.gradOutput;
  context.call(spec, [output.origin, origin, origin, 'count']);
}

/** output = activation(input # weight + bias). */
export function emitConvolution(
  context: ForwardContext<unknown>,
  { geometry, flip, tile, weight: name }: Convolution,
  input: TensorRef,
  output: TensorRef,
  end: { readonly bias: BufferRef | undefined; readonly activation: 'linear' | 'relu' },
): void {
  const { activation } = end;
  const common = {
    geometry,
    input: input.view,
    output: output.view,
    bias: end.bias !== undefined,
    activation,
  };
  const bias = end.bias === undefined ? [] : [end.bias];
  if (tile === 0) {
    const spec: Conv2dForwardSpec = { kind: 'conv2dForward', ...common };
    const weight = packedWeights(context, geometry, 'forward', flip, name);
    context.call(spec, [input.origin, weight, ...bias, output.origin, 'count']);
    return;
  }
  const spec: WinogradForwardSpec = { kind: 'winogradForward', outputTile: tile, ...common };
  const weight = transformedWeights(context, geometry, tile, 'forward', flip);
  const scratch = context.scratch(scratchLength(spec));
  context.call(spec, [input.origin, weight, ...bias, scratch, output.origin, 'count']);
}

/** gradWeight = input # gradOutput, cropped to the kernel. */
export function emitWeightGradient(
  context: BackwardContext<unknown>,
  { geometry, flip, tile }: Convolution,
  input: TensorRef,
  gradOutput: TensorRef,
  target: { readonly origin: BufferRef; readonly accumulate: boolean },
): void {
  const { accumulate } = target;
  const common = { geometry, input: input.view, gradOutput: gradOutput.view, accumulate, flip };
  const operands = [input.origin, gradOutput.origin, target.origin];
  if (tile === 0) {
    const copied = worthCopying(common);
    const spec: Conv2dWeightGradientSpec = { kind: 'conv2dWeightGradient', ...common, copied };
    const scratch = copied ? [context.scratch(blockScratchLength(common))] : [];
    context.call(spec, [...operands, ...scratch, 'count']);
    return;
  }
  const spec: WinogradWeightGradientSpec = { kind: 'winogradWeightGradient', outputTile: tile, ...common };
  context.call(spec, [...operands, context.scratch(gradientScratchLength(spec)), 'count']);
}

/** gradInput = gradOutput full-convolved with the flipped weights. */
export function emitInputGradient(
  context: BackwardContext<unknown>,
  { geometry, flip, tile, weight: name }: Convolution,
  gradOutput: TensorRef,
  gradInput: GradientRef,
): void {
  const end = { accumulate: gradInput.accumulate, bias: false, activation: 'linear' } as const;
  if (tile === 0) {
    const spec: Conv2dInputGradientSpec = {
      kind: 'conv2dInputGradient',
      geometry,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      ...end,
    };
    const weight = packedWeights(context, geometry, 'inputGradient', flip, name);
    context.call(spec, [gradOutput.origin, weight, gradInput.origin, 'count']);
    return;
  }
  const spec: WinogradForwardSpec = {
    kind: 'winogradForward',
    geometry: inputGradientGeometry(geometry),
    outputTile: tile,
    input: gradOutput.view,
    output: gradInput.view,
    ...end,
  };
  const weight = transformedWeights(context, geometry, tile, 'inputGradient', flip);
  const scratch = context.scratch(scratchLength(spec));
  context.call(spec, [gradOutput.origin, weight, scratch, gradInput.origin, 'count']);
}

/** gradBias = sum of gradOutput over samples and pixels. */
function emitBiasGradient(
  context: BackwardContext<unknown>,
  gradOutput: TensorRef,
  target: { readonly origin: BufferRef; readonly accumulate: boolean },
): void {
  const { accumulate } = target;
  const spec: ChannelSumSpec = { kind: 'channelSum', view: gradOutput.view, accumulate };
  context.call(spec, [gradOutput.origin, target.origin, 'count']);
}

/** The weights packed for a pass of the direct kernels, made once an update. */
export function packedWeights(
  context: ForwardContext<unknown>,
  geometry: ConvGeometry,
  pass: PackPass,
  flip: boolean,
  weight = 'weight',
): BufferRef {
  const spec: PackConv2dSpec = { kind: 'packConv2d', geometry, pass, flip };
  const name = weight === 'weight' ? pass : `${weight}/${pass}`;
  return context.prepared(name, weight, packedLength(geometry, pass), spec);
}

/** The weights transformed for a pass of the Winograd kernels, made once an update. */
function transformedWeights(
  context: ForwardContext<unknown>,
  geometry: ConvGeometry,
  outputTile: OutputTile,
  pass: PackPass,
  flip: boolean,
): BufferRef {
  const spec: WinogradWeightsSpec = { kind: 'winogradWeights', geometry, outputTile, pass, flip };
  const length = transformedLength(geometry, outputTile, pass);
  return context.prepared(`${pass}/winograd${outputTile}`, 'weight', length, spec);
}
