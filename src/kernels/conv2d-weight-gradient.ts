/**
 * The gradient of a 2-D convolution with respect to its weights (the seed's eq. 3.6).
 *
 *   input       [n, H, W, C], with a halo of at least `inputHalo(geometry)` pixels
 *   gradOutput  [n, Ho, Wo, K]
 *   gradWeight  plain HWIO [kh, kw, C/groups, K]
 *   scratch     only where `copied`: `blockScratchLength(spec)` elements; their contents mean nothing to a caller
 *
 *   gradWeight[ky, kx, c, k] = start + sum over n, oy, ox of gradOutput[n, oy, ox, k]
 *     * input[n, oy*strideY + ky*dilationY - padTop, ox*strideX + kx*dilationX - padLeft, c]
 *
 * with c counted within the group of k. Order: the sum starts at +0, or where `accumulate` at the value
 * gradWeight holds, then n, oy, ox ascending; every product and every sum is rounded to f32. With `flip`
 * (a true convolution's weights) tap (ky, kx) is written at (kh-1-ky, kw-1-kx).
 */
import { type ConvGeometry, multiplyAdds, weightCount } from '../tensor/convolution.ts';
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { blockScratchLength } from './conv2d-gradient-blocks.ts';
import { checkForwardViews } from './conv2d-views.ts';
import { f32Buffer, type Heap, type KernelFamily } from './kernel.ts';

export interface Conv2dWeightGradientSpec {
  readonly kind: 'conv2dWeightGradient';
  readonly geometry: ConvGeometry;
  readonly input: View;
  readonly gradOutput: View;
  /** Whether the result is added to what gradWeight holds. */
  readonly accumulate: boolean;
  /** Whether the weights are a true convolution's. */
  readonly flip: boolean;
  /** Whether the SIMD kernel copies blocks of what it reads into scratch; changes no bits. Default false. */
  readonly copied?: boolean;
}

const f = Math.fround;

export const conv2dWeightGradient: KernelFamily<Conv2dWeightGradientSpec> = {
  kind: 'conv2dWeightGradient',
  args: ({ geometry, input, gradOutput, accumulate, copied }) => [
    f32Buffer('input', 'in', (count) => viewSpan(input, count), viewLead(input)),
    f32Buffer('gradOutput', 'in', (count) => viewSpan(gradOutput, count), viewLead(gradOutput)),
    f32Buffer('gradWeight', accumulate ? 'inout' : 'out', () => weightCount(geometry)),
    ...(copied
      ? [f32Buffer('scratch', 'scratch', () => blockScratchLength({ geometry, input, gradOutput }))]
      : []),
    { name: 'count', access: 'count' },
  ],
  bind(spec, heap) {
    const { geometry: g, input, flip } = spec;
    checkForwardViews('conv2dWeightGradient', g, input, 'gradOutput', spec.gradOutput);
    const inChannels = g.inChannels / g.groups;
    const rows = bindRow(spec, heap);
    return (inputBytes, gradOutputBytes, gradWeightBytes, ...rest) => {
      const count = rest.at(-1)!;
      for (let ky = 0; ky < g.kernelHeight; ky++) {
        for (let kx = 0; kx < g.kernelWidth; kx++) {
          const tap = ky * g.kernelWidth + kx;
          const target = flip ? g.kernelHeight * g.kernelWidth - 1 - tap : tap;
          const y = ky * g.dilationY - g.padding.top;
          const x = kx * g.dilationX - g.padding.left;
          const from = (inputBytes! >>> 2) + y * input.rowStride + x * input.pixelStride;
          for (let c = 0; c < inChannels; c++) {
            const to = (gradWeightBytes! >>> 2) + (target * inChannels + c) * g.outChannels;
            rows(from + c, gradOutputBytes! >>> 2, to, count);
          }
        }
      }
    };
  },
  flops: (spec, count) => 2 * count * multiplyAdds(spec.geometry),
};

/** One tap and one input channel of each group, all output channels: a row [K] of gradWeight. */
function bindRow({ geometry: g, input, gradOutput, accumulate }: Conv2dWeightGradientSpec, { f32 }: Heap) {
  const inChannels = g.inChannels / g.groups;
  const outChannels = g.outChannels / g.groups;
  const rowStep = g.strideY * input.rowStride;
  const pixelStep = g.strideX * input.pixelStride;
  return (inputAt: number, gradOutputAt: number, to: number, count: number): void => {
    for (let k = 0; k < g.outChannels; k++) {
      const c = Math.floor(k / outChannels) * inChannels;
      let sum = accumulate ? f32[to + k]! : 0;
      for (let n = 0; n < count; n++) {
        for (let oy = 0; oy < g.outHeight; oy++) {
          let x = inputAt + n * input.imageStride + oy * rowStep + c;
          let y = gradOutputAt + n * gradOutput.imageStride + oy * gradOutput.rowStride + k;
          for (let ox = 0; ox < g.outWidth; ox++) {
            sum = f(sum + f(f32[x]! * f32[y]!));
            x += pixelStep;
            y += gradOutput.pixelStride;
          }
        }
      }
      f32[to + k] = sum;
    }
  };
}
