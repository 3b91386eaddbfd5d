/**
 * Local connection without shared weights (the seed's figure 2.1): every output pixel has a weight matrix of its own for
 * the patch of the input that it sees.
 *   patch [kh, kw, C] at (oy*strideY, ox*strideX), output pixel [filters]
 *   weight [Ho*Wo, kh*kw*C, filters], bias [Ho*Wo, filters], output pixels in row-major order
 *   forward:  y_p = activation(patch_p w_p + b_p)
 *   backward: dO = dY * activation'(y); db_p = sum of dO_p, dw_p = patch_p^T dO_p over the whole batch;
 *             dX = sum over p of dO_p w_p^T, laid into the patch, p ascending
 * A pixel is a dense layer on a copy of its patch, so the kernels are those of dense layers and the bits, too. The
 * weights' gradients are computed over the whole batch: there are far more weights than activations.
 */
import type { ChannelSumSpec } from '../kernels/channel-sum.ts';
import { type PackPass, packedLength } from '../kernels/conv2d-pack.ts';
import type { Conv2dWeightGradientSpec } from '../kernels/conv2d-weight-gradient.ts';
import type { CopyViewSpec } from '../kernels/copy-view.ts';
import type { DenseForwardSpec } from '../kernels/dense-forward.ts';
import type { DenseInputGradientSpec } from '../kernels/dense-input-gradient.ts';
import { denseGeometry, type PackDenseSpec } from '../kernels/dense-pack.ts';
import { type ConvGeometry, convGeometry } from '../tensor/convolution.ts';
import { convFans } from '../tensor/initializers.ts';
import type { Shape } from '../tensor/shape.ts';
import { reluGate } from './conv-passes.ts';
import { innerTensor } from './inner-tensor.ts';
import type { BackwardContext, BufferRef, ForwardContext, PlannedCall, TensorRef } from './layer.ts';
import { fusedActivation, type WeightConfig } from './options.ts';
import { clearTensor, subImage } from './sub-image.ts';

/** Weights of one unit of the weight gradient; a choice of speed, not of bits. */
const WEIGHTS_PER_UNIT = 32_768;

/** One output pixel: where it lies in the output, and its patch's corner in the input. */
interface Site {
  readonly index: number;
  readonly oy: number;
  readonly ox: number;
}

function sitesOf({ outHeight, outWidth }: ConvGeometry): readonly Site[] {
  return Array.from({ length: outHeight * outWidth }, (_, index) => {
    return { index, oy: Math.floor(index / outWidth), ox: index % outWidth };
  });
}

function featuresOf(g: ConvGeometry) {
  return { inFeatures: g.kernelHeight * g.kernelWidth * g.inChannels, outFeatures: g.outChannels };
}

function patchOf(input: TensorRef, g: ConvGeometry, { oy, ox }: Site): TensorRef {
  const { kernelHeight: height, kernelWidth: width } = g;
  return subImage(input, { top: oy * g.strideY, left: ox * g.strideX, height, width });
}

function pixelOf(output: TensorRef, { oy, ox }: Site): TensorRef {
  return subImage(output, { top: oy, left: ox, height: 1, width: 1 });
}

function shifted({ buffer, offsetBytes }: BufferRef, elements: number): BufferRef {
  return { buffer, offsetBytes: offsetBytes + 4 * elements };
}

/** Shapes, initialisers and fans. Fans are those of one pixel's matrix, as in a convolution, however many there are. */
export function localParameters(g: ConvGeometry, config: WeightConfig, biasShape: Shape) {
  const { inFeatures, outFeatures } = featuresOf(g);
  const shape = [g.outHeight * g.outWidth, inFeatures, outFeatures];
  const fans = convFans(g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels);
  const gradient = 'batch' as const;
  const weight = { name: 'weight', shape, initializer: config.kernelInitializer, ...fans, gradient };
  const bias = { name: 'bias', shape: biasShape, initializer: config.biasInitializer, gradient };
  return config.useBias ? [weight, bias] : [weight];
}

/** The packed matrix of a pixel, by a function that makes it for each pixel. */
function packer(context: ForwardContext<WeightConfig>, g: ConvGeometry, pass: PackPass) {
  const features = featuresOf(g);
  const spec: PackDenseSpec = { kind: 'packDense', ...features, pass };
  const length = packedLength(denseGeometry(features), pass);
  const weights = features.inFeatures * features.outFeatures;
  return ({ index }: Site): BufferRef =>
    context.prepared(`${pass}/${index}`, 'weight', length, spec, index * weights);
}

/** Emits the forward pass; one kernel of each kind serves all pixels. */
export function forwardLocal(context: ForwardContext<WeightConfig>, g: ConvGeometry): void {
  const { config, inputs, output, call } = context;
  const features = featuresOf(g);
  const patch = innerTensor(context, 'patch', [g.kernelHeight, g.kernelWidth, g.inChannels]);
  const [sites, packed] = [sitesOf(g), packer(context, g, 'forward')];
  const input = patchOf(inputs[0]!, g, sites[0]!).view;
  const copy: CopyViewSpec = { kind: 'copyView', input, output: patch.view, accumulate: false };
  const multiply: DenseForwardSpec = {
    kind: 'denseForward',
    ...features,
    inputStride: features.inFeatures,
    outputStride: output.view.imageStride,
    bias: config.useBias,
    activation: fusedActivation(config),
  };
  for (const site of sites) {
    const bias = config.useBias ? [shifted(context.parameter('bias'), site.index * g.outChannels)] : [];
    call(copy, [patchOf(inputs[0]!, g, site).origin, patch.origin, 'count']);
    call(multiply, [patch.origin, packed(site), ...bias, pixelOf(output, site).origin, 'count']);
  }
}

/** Emits all gradients. */
export function backwardLocal(context: BackwardContext<WeightConfig>, g: ConvGeometry): void {
  if (fusedActivation(context.config) === 'relu') reluGate(context, context.output);
  inputGradient(context, g);
  parameterGradients(context, g);
}

function inputGradient(context: BackwardContext<WeightConfig>, g: ConvGeometry): void {
  const { gradOutput, call } = context;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  if (!gradInput.accumulate) clearTensor(context, gradInput);
  const features = featuresOf(g);
  const patch = innerTensor(context, 'gradPatch', [g.kernelHeight, g.kernelWidth, g.inChannels]);
  const [sites, packed] = [sitesOf(g), packer(context, g, 'inputGradient')];
  const multiply: DenseInputGradientSpec = {
    kind: 'denseInputGradient',
    ...features,
    gradOutputStride: gradOutput.view.imageStride,
    gradInputStride: features.inFeatures,
    accumulate: false,
  };
  const output = patchOf(gradInput, g, sites[0]!).view;
  const add: CopyViewSpec = { kind: 'copyView', input: patch.view, output, accumulate: true };
  for (const site of sites) {
    call(multiply, [pixelOf(gradOutput, site).origin, packed(site), patch.origin, 'count']);
    call(add, [patch.origin, patchOf(gradInput, g, site).origin, 'count']);
  }
}

/** Units over the whole batch, each of some pixels' matrices. */
function parameterGradients(context: BackwardContext<WeightConfig>, g: ConvGeometry): void {
  const { config, inputs, gradOutput } = context;
  const weight = context.gradParameter('weight');
  const bias = config.useBias ? context.gradParameter('bias') : undefined;
  if (weight === undefined) return;
  const [kernelSize, filters] = [[g.kernelHeight, g.kernelWidth] as const, g.outChannels];
  const sites = sitesOf(g);
  const pixel = pixelOf(gradOutput, sites[0]!).view;
  const multiply: Conv2dWeightGradientSpec = {
    kind: 'conv2dWeightGradient',
    geometry: convGeometry('patch', [...kernelSize, g.inChannels], { filters, kernelSize }),
    input: patchOf(inputs[0]!, g, sites[0]!).view,
    gradOutput: pixel,
    accumulate: weight.accumulate,
    flip: false,
  };
  const sum: ChannelSumSpec = { kind: 'channelSum', view: pixel, accumulate: bias?.accumulate ?? false };
  const weights = featuresOf(g).inFeatures * filters;
  const perUnit = Math.max(1, Math.floor(WEIGHTS_PER_UNIT / weights));
  for (let from = 0; from < sites.length; from += perUnit) {
    const calls = sites.slice(from, from + perUnit).flatMap((site): PlannedCall[] => {
      const { origin } = pixelOf(gradOutput, site);
      const target = shifted(weight.origin, site.index * weights);
      const operands = [patchOf(inputs[0]!, g, site).origin, origin, target, 'count' as const];
      if (bias === undefined) return [{ spec: multiply, operands }];
      const sums = shifted(bias.origin, site.index * filters);
      return [
        { spec: multiply, operands },
        { spec: sum, operands: [origin, sums, 'count'] },
      ];
    });
    context.batchUnit(calls);
  }
}
