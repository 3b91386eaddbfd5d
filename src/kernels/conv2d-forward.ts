/**
 * The forward pass of a 2-D convolution (cross-correlation, the seed's eq. 2.4), with bias and ReLU.
 *
 *   input   [n, H, W, C], with a halo of at least `inputHalo(geometry)` pixels
 *   weight  packed for 'forward' (conv2d-pack.ts)
 *   bias    [K], an argument only where `spec.bias`
 *   output  [n, Ho, Wo, K]
 *
 *   output[n, oy, ox, k] = activation(bias[k] + sum over ky, kx, c of
 *     input[n, oy*strideY + ky*dilationY - padTop, ox*strideX + kx*dilationX - padLeft, c] * weight[ky, kx, c, k])
 *
 * Order: the sum starts at bias[k] (or +0, or where `accumulate` at the value output holds), then ky ascending, kx ascending, c ascending within the
 * group; every product and every sum is rounded to f32. Padded taps are read from the halo and
 * multiplied like others. With `sumBlock` every so many channels of a tap make a sum of their own that starts at +0 and
 * is added when it is complete.
 */
import { type ConvGeometry, multiplyAdds } from '../tensor/convolution.ts';
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { packedLength, panelLayout, panelStart, panelWidth } from './conv2d-pack.ts';
import { addTap, type FusedActivation, startQuad, storeQuad } from './conv2d-quad.ts';
import { checkAccumulation, checkForwardViews } from './conv2d-views.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface Conv2dForwardSpec {
  readonly kind: 'conv2dForward';
  readonly geometry: ConvGeometry;
  readonly input: View;
  readonly output: View;
  readonly bias: boolean;
  readonly activation: FusedActivation;
  /** Whether sums start at what output holds (default false); excludes `bias`. */
  readonly accumulate?: boolean;
  /** Products summed by themselves before they are added; default: none are. */
  readonly sumBlock?: number;
}

export const conv2dForward: KernelFamily<Conv2dForwardSpec> = {
  kind: 'conv2dForward',
  args: ({ geometry, input, output, bias, accumulate }) => [
    f32Buffer('input', 'in', (count) => viewSpan(input, count), viewLead(input)),
    f32Buffer('weight', 'in', () => packedLength(geometry, 'forward')),
    ...(bias ? [f32Buffer('bias', 'in', () => geometry.outChannels)] : []),
    f32Buffer('output', accumulate ? 'inout' : 'out', (count) => viewSpan(output, count), viewLead(output)),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    const { geometry: g, input, output } = spec;
    checkForwardViews('conv2dForward', g, input, 'output', output);
    checkAccumulation('conv2dForward', spec);
    const pixel = bindPixel(spec, f32);
    return (...args) => {
      const [inputAt, weightAt, biasAt, outputAt, count] = elementOffsets(args, spec.bias);
      for (let n = 0; n < count; n++) {
        for (let oy = 0; oy < g.outHeight; oy++) {
          const y = oy * g.strideY - g.padding.top;
          for (let ox = 0; ox < g.outWidth; ox++) {
            const x = ox * g.strideX - g.padding.left;
            const from = n * input.imageStride + y * input.rowStride + x * input.pixelStride;
            const to = n * output.imageStride + oy * output.rowStride + ox * output.pixelStride;
            pixel(inputAt + from, weightAt, biasAt, outputAt + to);
          }
        }
      }
    };
  },
  flops: (spec, count) => 2 * count * multiplyAdds(spec.geometry),
};

/** The five arguments (source, weight, bias, target, count) in elements; the bias -1 where there is none. */
export function elementOffsets(
  args: readonly number[],
  bias: boolean,
): [number, number, number, number, number] {
  const [source, weight, ...rest] = args as [number, number, ...number[]];
  const [biasAt, target, count] = (bias ? rest : [0, ...rest]) as [number, number, number];
  return [source >>> 2, weight >>> 2, bias ? biasAt >>> 2 : -1, target >>> 2, count];
}

/** One pixel, all output channels: `from` is its window's top left corner in the input. */
function bindPixel(spec: Conv2dForwardSpec, f32: Float32Array) {
  const { geometry: g, input, activation, accumulate, sumBlock } = spec;
  const layout = panelLayout(g, 'forward');
  const { groups, inner, outputs } = layout;
  const rowStep = g.dilationY * input.rowStride;
  const pixelStep = g.dilationX * input.pixelStride;
  const sums = new Float32Array(4);
  return (from: number, weightAt: number, biasAt: number, to: number): void => {
    for (let group = 0; group < groups; group++) {
      for (let quad = 0; quad < outputs; quad += 4) {
        const k = group * outputs + quad;
        const lanes = Math.min(4, outputs - quad);
        const width = panelWidth(outputs, quad);
        let weight = weightAt + panelStart(layout, group, quad);
        startQuad(f32, sums, accumulate ? to + k : biasAt < 0 ? -1 : biasAt + k, lanes);
        for (let ky = 0; ky < g.kernelHeight; ky++) {
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const x = from + ky * rowStep + kx * pixelStep + group * inner;
            addTap(f32, sums, x, weight, inner, width, sumBlock);
            weight += inner * width;
          }
        }
        storeQuad(f32, sums, to + k, lanes, activation);
      }
    }
  };
}
