/** The parameters of convolutions and transposed convolutions, of images and of sequences. */
import type { ConvGeometry } from '../tensor/convolution.ts';
import { convFans } from '../tensor/initializers.ts';
import type { ParameterSpec } from './layer.ts';
import type { WeightConfig } from './options.ts';

/**
 * The weight [kh, kw, C / groups, K] of a convolution, without kh along one axis, and with `useBias` a bias for each of
 * its outputs.
 */
export function convParameters(
  config: WeightConfig,
  g: ConvGeometry,
  outputs: number,
  axes: 1 | 2,
): ParameterSpec[] {
  const inPerGroup = g.inChannels / g.groups;
  const window = [g.kernelHeight, g.kernelWidth];
  const shape = [...window.slice(-axes), inPerGroup, g.outChannels];
  const fans = convFans(g.kernelHeight, g.kernelWidth, inPerGroup, g.outChannels);
  const weight = { name: 'weight', shape, initializer: config.kernelInitializer, ...fans };
  const bias = { name: 'bias', shape: [outputs], initializer: config.biasInitializer };
  return config.useBias ? [weight, bias] : [weight];
}
