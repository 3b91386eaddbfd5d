/** What a kernel call amounts to: which work of a training step it is, its operations, the bytes it must move. */
import { families } from '../src/kernels/index.ts';
import { isBuffer, type KernelSpec } from '../src/kernels/kernel.ts';
import { type ConvGeometry, multiplyAdds } from '../src/tensor/convolution.ts';
import type { View } from '../src/tensor/view.ts';
import type { StepCall } from './notebook-program.ts';

/** Kinds of work in the order in which tables and pictures show them. */
export const WORKS = [
  'convolution, forward',
  'convolution, input gradient',
  'convolution, weight gradient',
  'dense',
  'pooling',
  'activation',
  'batch normalisation',
  'bias gradient',
  'dropout',
  'loss',
  'pixels',
  'reduction',
  'check of finiteness',
  'optimizer',
  'weight preparation',
  'other',
] as const;

export type Work = (typeof WORKS)[number];

/** The work that the targets of speed are about; all else should be small beside it. */
export function isContraction(work: Work): boolean {
  return work.startsWith('convolution') || work === 'dense';
}

const WORK_OF_KIND: Readonly<Record<string, Work>> = {
  conv2dForward: 'convolution, forward',
  conv2dInputGradient: 'convolution, input gradient',
  conv2dWeightGradient: 'convolution, weight gradient',
  winogradForward: 'convolution, forward',
  winogradWeightGradient: 'convolution, weight gradient',
  denseForward: 'dense',
  denseInputGradient: 'dense',
  denseWeightGradient: 'dense',
  maxPoolForward: 'pooling',
  maxPoolBackward: 'pooling',
  averagePoolForward: 'pooling',
  averagePoolBackward: 'pooling',
  activationForward: 'activation',
  activationBackward: 'activation',
  preluForward: 'activation',
  preluBackward: 'activation',
  softmaxForward: 'activation',
  softmaxBackward: 'activation',
  channelMoments: 'batch normalisation',
  batchNormStatistics: 'batch normalisation',
  batchNormForward: 'batch normalisation',
  batchNormInference: 'batch normalisation',
  batchNormSums: 'batch normalisation',
  batchNormGradients: 'batch normalisation',
  batchNormBackward: 'batch normalisation',
  movingAverage: 'batch normalisation',
  channelSum: 'bias gradient',
  dropoutForward: 'dropout',
  dropoutBackward: 'dropout',
  softmaxCrossEntropy: 'loss',
  normalizePixels: 'pixels',
  affineWarp: 'pixels',
  reduceShards: 'reduction',
  checkFinite: 'check of finiteness',
  sgd: 'optimizer',
  adam: 'optimizer',
  packConv2d: 'weight preparation',
  packDense: 'weight preparation',
  winogradWeights: 'weight preparation',
};

/** Winograd's forward kernel is the input gradient's too: there it runs behind the loss. */
export function workOf({ spec, backward }: Pick<StepCall, 'spec' | 'backward'>): Work {
  if (spec.kind === 'winogradForward' && backward) return 'convolution, input gradient';
  return WORK_OF_KIND[spec.kind] ?? 'other';
}

/** The call's arguments that are no buffers, by name. */
function numbersOf({ spec, args }: Pick<StepCall, 'spec' | 'args'>): Record<string, number> {
  const named = families[spec.kind]!.args(spec).map((arg, i) => [arg.name, args[i]!] as const);
  return Object.fromEntries(named);
}

/** Floating-point operations as the kernel counts them; convolutions are counted as direct ones. */
export function flopsOf(call: Pick<StepCall, 'spec' | 'args'>): number {
  const { spec } = call;
  const { count, length, rowCount } = numbersOf(call);
  const samples = count ?? length ?? 1;
  if (isWinograd(spec)) return 2 * samples * multiplyAdds(spec.geometry);
  const flops = families[spec.kind]!.flops?.(spec, samples) ?? 0;
  if (spec.kind === 'reduceShards') return (activeShards(spec, samples) - 1) * length!;
  const whole = spec as unknown as { inFeatures: number };
  return rowCount === undefined ? flops : (flops * rowCount) / whole.inFeatures;
}

/** Bytes that must be read and written at least: every buffer once, what is read and written twice. */
export function bytesOf(call: Pick<StepCall, 'spec' | 'args'>): number {
  const { spec } = call;
  const { count, length, rowCount } = numbersOf(call);
  const samples = count ?? length ?? 1;
  if (spec.kind === 'reduceShards') return 4 * length! * (activeShards(spec, samples) + 1);
  let bytes = 0;
  for (const arg of families[spec.kind]!.args(spec)) {
    if (!isBuffer(arg) || arg.access === 'scratch') continue;
    const passes = arg.access === 'inout' ? 2 : 1;
    const isPart = rowCount !== undefined && arg.name === 'gradWeight';
    const part = isPart ? rowCount / (spec as unknown as { inFeatures: number }).inFeatures : 1;
    bytes += passes * part * arg.length(samples) * ELEMENT_BYTES[arg.type];
  }
  return bytes;
}

const ELEMENT_BYTES = { f32: 4, f64: 8, i32: 4, u8: 1 } as const;

function activeShards(spec: KernelSpec, samples: number): number {
  const { shards, shardSize } = spec as unknown as { shards: number; shardSize: number };
  return Math.min(shards, Math.ceil(samples / shardSize));
}

function isWinograd(spec: KernelSpec): spec is KernelSpec & { geometry: ConvGeometry } {
  return spec.kind === 'winogradForward' || spec.kind === 'winogradWeightGradient';
}

/** A call's shapes in short: '3x3 32>64 @16x16', '2048>128', '16x16x32'. */
export function describeShapes(call: Pick<StepCall, 'spec' | 'args'>): string {
  const s = call.spec as Partial<{
    geometry: ConvGeometry;
    inFeatures: number;
    outFeatures: number;
    input: View;
    output: View;
    view: View;
    saved: View;
    gradOutput: View;
    classes: number;
    outputTile: number;
    pass: string;
    mode: string;
    shards: number;
  }>;
  const view = s.input ?? s.output ?? s.view ?? s.saved ?? s.gradOutput;
  const parts: string[] = [];
  if (s.geometry !== undefined) {
    const { kernelHeight, kernelWidth, inChannels, outChannels, inHeight, inWidth } = s.geometry;
    parts.push(`${kernelHeight}x${kernelWidth} ${inChannels}>${outChannels} @${inHeight}x${inWidth}`);
  } else if (s.inFeatures !== undefined) parts.push(`${s.inFeatures}>${s.outFeatures}`);
  else if (view !== undefined) parts.push(`${view.height}x${view.width}x${view.channels}`);
  if (s.outputTile !== undefined) parts.push(`F(${s.outputTile},3)`);
  if (s.classes !== undefined) parts.push(`${s.classes} classes`);
  if (s.shards !== undefined) parts.push(`${s.shards} shards`);
  const { length, rowCount } = numbersOf(call);
  if (length !== undefined) parts.push(`${length} elements`);
  if (rowCount !== undefined) parts.push(`${rowCount} rows`);
  for (const text of [s.pass, s.mode]) if (text !== undefined) parts.push(text);
  return parts.join(' ');
}
