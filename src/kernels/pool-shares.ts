/**
 * The shares of a weighted mean over pooling windows, packed as the weights of a depthwise convolution (conv2d-pack.ts).
 *
 *   weight  [taps, C], an argument only where the spec has no `shares`: any numbers, of which a softmax makes shares
 *   packed  for 'forward' or 'inputGradient': C groups of one output, [tap][panel width], lanes beyond the first zero
 *
 *   share[t, c] = e^(weight[t, c] - m) / sum over t of e^(weight[t, c] - m), m the largest of the channel
 *
 * in f64, the sum over t ascending, rounded to f32 once; or `shares[t]`, the same for every channel.
 */
import { exp } from '../math/exp.ts';
import type { ConvGeometry } from '../tensor/convolution.ts';
import { type PackPass, packedLength, panelLayout, panelStart, panelWidth } from './conv2d-pack.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface PoolSharesSpec {
  readonly kind: 'poolShares';
  /** Of C groups, one output each. */
  readonly geometry: ConvGeometry;
  readonly pass: PackPass;
  /** Given shares, one a tap, each a number that f32 holds. */
  readonly shares?: readonly number[];
}

export const poolSharesFamily: KernelFamily<PoolSharesSpec> = {
  kind: 'poolShares',
  args: ({ geometry: g, pass, shares }) => [
    ...(shares === undefined ? [f32Buffer('weight', 'in', () => tapCount(g) * g.inChannels)] : []),
    f32Buffer('packed', 'out', () => packedLength(g, pass)),
  ],
  bind({ geometry: g, pass, shares: given }, { f32 }) {
    const layout = panelLayout(g, pass);
    const taps = tapCount(g);
    const channels = g.inChannels;
    const width = panelWidth(layout.outputs, 0);
    const shares = Float64Array.from(given ?? Array(taps).fill(0));
    return (...args) => {
      const packed = args.at(-1)! >>> 2;
      f32.fill(0, packed, packed + packedLength(g, pass));
      for (let c = 0; c < channels; c++) {
        if (given === undefined) softmaxOfTaps(f32, (args[0]! >>> 2) + c, channels, shares);
        const start = packed + panelStart(layout, c, 0);
        for (let t = 0; t < taps; t++) {
          f32[start + (pass === 'forward' ? t : taps - 1 - t) * width] = shares[t]!;
        }
      }
    };
  },
};

/** Taps of a window. */
function tapCount({ kernelHeight, kernelWidth }: ConvGeometry): number {
  return kernelHeight * kernelWidth;
}

/** Writes the softmax of f32[from], f32[from + step], ... into `shares`, in f64. */
export function softmaxOfTaps(f32: Float32Array, from: number, step: number, shares: Float64Array): void {
  let largest = f32[from]!;
  for (let t = 1; t < shares.length; t++) largest = Math.max(largest, f32[from + t * step]!);
  let sum = 0;
  for (let t = 0; t < shares.length; t++) {
    shares[t] = exp(f32[from + t * step]! - largest);
    sum += shares[t]!;
  }
  for (let t = 0; t < shares.length; t++) shares[t] = shares[t]! / sum;
}
