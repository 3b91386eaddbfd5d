/**
 * The gradient of a 2-D convolution with respect to its input (the seed's eq. 3.8): the adjoint of the
 * forward pass. It is also the forward pass of the transposed convolution, hence bias and ReLU.
 *
 *   gradOutput  [n, Ho, Wo, K], with a halo of at least `gradOutputHalo(geometry)` pixels
 *   weight      packed for 'inputGradient' (conv2d-pack.ts)
 *   bias        [C], an argument only where `spec.bias`
 *   gradInput   [n, H, W, C]
 *
 *   gradInput[n, y, x, c] = activation(start + sum over ky, kx, k of gradOutput[n, oy, ox, k] * weight[ky, kx, c, k]),
 *     oy = (y + padTop - ky*dilationY) / strideY, ox = (x + padLeft - kx*dilationX) / strideX,
 *     over the taps for which both divisions are exact
 *
 * Order: the sum starts at bias[c], or where `accumulate` at the value gradInput holds, or at +0; then ky
 * DEscending, kx DEscending, k ascending within the group; every product and every sum is rounded to f32.
 * Positions outside gradOutput are read from its halo and multiplied like others. So for stride 1 this is
 * bit for bit the forward pass with flipped, channel-swapped weights. `sumBlock` is the forward pass's, too.
 */
import { type ConvGeometry, multiplyAdds } from '../tensor/convolution.ts';
import { type View, viewLead, viewSpan } from '../tensor/view.ts';
import { elementOffsets } from './conv2d-forward.ts';
import { packedLength, panelLayout, panelStart, panelWidth } from './conv2d-pack.ts';
import { addTap, type FusedActivation, startQuad, storeQuad } from './conv2d-quad.ts';
import { checkAccumulation, checkBackwardViews } from './conv2d-views.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface Conv2dInputGradientSpec {
  readonly kind: 'conv2dInputGradient';
  readonly geometry: ConvGeometry;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the result is added to what gradInput holds; excludes `bias`. */
  readonly accumulate: boolean;
  readonly bias: boolean;
  readonly activation: FusedActivation;
  /** Products of a tap summed by themselves before they are added; default: none are. */
  readonly sumBlock?: number;
}

export const conv2dInputGradient: KernelFamily<Conv2dInputGradientSpec> = {
  kind: 'conv2dInputGradient',
  args: ({ geometry, gradOutput, gradInput, accumulate, bias }) => [
    f32Buffer('gradOutput', 'in', (count) => viewSpan(gradOutput, count), viewLead(gradOutput)),
    f32Buffer('weight', 'in', () => packedLength(geometry, 'inputGradient')),
    ...(bias ? [f32Buffer('bias', 'in', () => geometry.inChannels)] : []),
    f32Buffer(
      'gradInput',
      accumulate ? 'inout' : 'out',
      (count) => viewSpan(gradInput, count),
      viewLead(gradInput),
    ),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    const { geometry: g, gradInput } = spec;
    checkInputGradient(spec);
    const pixel = bindPixel(spec, f32);
    return (...args) => {
      const [gradOutputAt, weightAt, biasAt, gradInputAt, count] = elementOffsets(args, spec.bias);
      for (let n = 0; n < count; n++) {
        const from = gradOutputAt + n * spec.gradOutput.imageStride;
        for (let y = 0; y < g.inHeight; y++) {
          for (let x = 0; x < g.inWidth; x++) {
            const to = n * gradInput.imageStride + y * gradInput.rowStride + x * gradInput.pixelStride;
            pixel(from, weightAt, biasAt, gradInputAt + to, y, x);
          }
        }
      }
    };
  },
  flops: (spec, count) => 2 * count * multiplyAdds(spec.geometry),
};

/** Throws ShapeError where views do not fit, ConfigError for a bias together with `accumulate`. */
export function checkInputGradient(spec: Conv2dInputGradientSpec): void {
  checkBackwardViews('conv2dInputGradient', spec.geometry, spec.gradOutput, spec.gradInput);
  checkAccumulation('conv2dInputGradient', spec);
}

/** One pixel (y, x), all input channels: `from` is the origin of the image's gradOutput. */
function bindPixel(spec: Conv2dInputGradientSpec, f32: Float32Array) {
  const { geometry: g, gradOutput, accumulate, activation, sumBlock } = spec;
  const layout = panelLayout(g, 'inputGradient');
  const { groups, inner, outputs } = layout;
  const sums = new Float32Array(4);
  return (from: number, weightAt: number, biasAt: number, to: number, y: number, x: number): void => {
    for (let group = 0; group < groups; group++) {
      for (let quad = 0; quad < outputs; quad += 4) {
        const c = group * outputs + quad;
        const lanes = Math.min(4, outputs - quad);
        const width = panelWidth(outputs, quad);
        let weight = weightAt + panelStart(layout, group, quad);
        startQuad(f32, sums, accumulate ? to + c : biasAt < 0 ? -1 : biasAt + c, lanes);
        for (let ky = g.kernelHeight - 1; ky >= 0; ky--) {
          const oy = (y + g.padding.top - ky * g.dilationY) / g.strideY;
          for (let kx = g.kernelWidth - 1; kx >= 0; kx--) {
            const ox = (x + g.padding.left - kx * g.dilationX) / g.strideX;
            if (Number.isInteger(oy) && Number.isInteger(ox)) {
              const k = from + oy * gradOutput.rowStride + ox * gradOutput.pixelStride + group * inner;
              addTap(f32, sums, k, weight, inner, width, sumBlock);
            }
            weight += inner * width;
          }
        }
        storeQuad(f32, sums, to + c, lanes, activation);
      }
    }
  };
}
