/**
 * What the networks with batch normalisation are built of: a convolution without a bias and with He's initialiser, a
 * normalisation with the papers' constants, ReLU.
 */
import { activation, batchNormalization, conv2d } from '../layers/index.ts';
import type { SymbolicTensor } from '../layers/symbolic.ts';

/** A network for `functional({ ...network, seed })`. */
export interface Network {
  readonly inputs: SymbolicTensor;
  readonly outputs: SymbolicTensor;
}

/** Of the papers' code: a moving average keeps 0.9 of itself, 1e-5 is added to the variance. */
const NORMALIZATION = { momentum: 0.9, epsilon: 1e-5 } as const;

/** As many zeros on every side. */
export function around(pixels: number) {
  return { top: pixels, right: pixels, bottom: pixels, left: pixels };
}

/**
 * A convolution [H, W, C] to [H / strides, W / strides, filters], as many zeros on every side as centre the window.
 * That is 'same' for a stride of 1 and for odd images; for even ones 'same' would put one zero less at the top.
 */
export function conv(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number,
  strides = 1,
): SymbolicTensor {
  const padding = around((kernelSize - 1) / 2);
  const options = { filters, kernelSize, strides, padding, useBias: false } as const;
  return conv2d({ name, ...options, kernelInitializer: 'heNormal' })(x);
}

/** Batch normalisation. */
export function normalized(x: SymbolicTensor, name: string): SymbolicTensor {
  return batchNormalization({ name, ...NORMALIZATION })(x);
}

/** ReLU. */
export function rectified(x: SymbolicTensor, name: string): SymbolicTensor {
  return activation({ name, function: 'relu' })(x);
}
