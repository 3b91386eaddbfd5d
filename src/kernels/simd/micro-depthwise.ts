/**
 * Depthwise convolution: every channel is convolved by itself, so vectors run over channels instead of outputs.
 * Forward pass and input gradient alike are grids of pixels with a constant set of taps (conv2d-taps.ts); the weight
 * gradient keeps the sums of all taps of a few channels in registers while the pixels pass by.
 *
 * Orders and bits are those of the general kernels for groups of one channel: sums start at zero, the bias or what is
 * held, then taps in packed order; the weight gradient adds up pixels in order.
 */
import type { ConvGeometry } from '../../tensor/convolution.ts';
import type { Conv2dWeightGradientSpec } from '../conv2d-weight-gradient.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import type { GridAxis, TapGrid } from './conv2d-taps.ts';
import { walk } from './micro-loops.ts';
import type { PanelContraction } from './micro-panels.ts';
import { loadLanes, storeLanes } from './micro-tile.ts';
import type { Target } from './twin.ts';
import { type ChannelGroup, forChannels, lanesOf, loadGroup } from './winograd-tiles.ts';

/** Bytes of one tap's packed weight: a quad of lanes of which a group of one output uses the first. */
const PACKED_BYTES = 16;
/** The most sums that the weight gradient carries at once: one a tap. */
const MOST_TAPS = 9;

/** Whether a convolution is depthwise with one output a channel, and has enough channels for a vector. */
export function isDepthwise(g: ConvGeometry): boolean {
  return g.groups >= 4 && g.groups === g.inChannels && g.groups === g.outChannels;
}

/** Emits the forward pass or the input gradient. */
export function emitDepthwise(b: FunctionBuilder, c: PanelContraction, target: Target): void {
  const { groups, taps } = c.layout;
  const whole = target.pairs ? 8 : 4;
  const pointers = c.bias ? [c.source, c.output, c.bias] : [c.source, c.output];
  const weight = b.local('i32', 'weights');
  b.get(c.weight).set(weight);
  forChannels(b, groups, pointers, target, (group, [source, output, bias]) => {
    const weights = Array.from({ length: taps }, (_, tap) => gatherWeights(b, weight, group, tap, taps));
    const start = bias && loadGroup(b, group, bias, 0);
    const images = [
      { from: source!, step: c.sourceImage },
      { from: output!, step: c.outputImage },
    ];
    walk(b, c.count, images, ([image, result]) => {
      for (const grid of c.grids) emitPixels(b, c, grid, group, weights, start, [image!, result!]);
    });
    b.advance(weight, PACKED_BYTES * whole * taps);
  });
}

/** The weights of one tap for neighbouring channels: they lie `taps` quads apart. */
function gatherWeights(
  b: FunctionBuilder,
  weight: Local,
  group: ChannelGroup,
  tap: number,
  taps: number,
): Local[] {
  return Array.from({ length: group.vectors }, (_, part) => {
    const vector = b.local('v128');
    const offset = (lane: number) => PACKED_BYTES * ((4 * part + lane) * taps + tap);
    b.get(weight).memory('v128.load32_zero', offset(0)).set(vector);
    for (let lane = 1; lane < lanesOf(group, part); lane++) {
      b.get(weight).get(vector).memoryLane('v128.load32_lane', lane, offset(lane)).set(vector);
    }
    return vector;
  });
}

function emitPixels(
  b: FunctionBuilder,
  c: PanelContraction,
  { vertical, horizontal }: TapGrid,
  group: ChannelGroup,
  weights: readonly Local[][],
  start: readonly Local[] | undefined,
  at: readonly [source: Local, output: Local],
): void {
  walk(b, vertical.pixels, axisCursors(vertical, at), (row) => {
    walk(b, horizontal.pixels, axisCursors(horizontal, [row[0]!, row[1]!]), ([source, output]) => {
      const sums = b.localArray('v128', group.vectors, 'sum');
      sums.forEach((sum, part) => {
        if (c.accumulate) loadLanes(b, output!, 16 * part, lanesOf(group, part));
        else if (start) b.get(start[part]!);
        else b.f32x4(0);
        b.set(sum);
      });
      for (let ty = 0; ty < vertical.taps; ty++) {
        for (let tx = 0; tx < horizontal.taps; tx++) {
          const offset = ty * vertical.tapStep + tx * horizontal.tapStep;
          const tap =
            vertical.weightStart +
            ty * vertical.weightStep +
            horizontal.weightStart +
            tx * horizontal.weightStep;
          const values = loadGroup(b, group, source, offset);
          sums.forEach((sum, part) => {
            b.get(sum).get(values[part]!).get(weights[tap]![part]!).op('f32x4.mul').op('f32x4.add').set(sum);
          });
        }
      }
      sums.forEach((sum, part) => {
        if (c.relu) b.get(sum).f32x4(0).op('f32x4.pmax').set(sum);
        storeLanes(b, output!, 16 * part, sum, lanesOf(group, part));
      });
    });
  });
}

function axisCursors(axis: GridAxis, [source, output]: readonly [Local, Local]) {
  return [
    { from: source, offset: axis.sourceStart, step: axis.sourceStep },
    { from: output, offset: axis.outputStart, step: axis.outputStep },
  ];
}

/** Emits the weight gradient: a few taps at a time, the sums of neighbouring channels in registers. */
export function emitDepthwiseWeightGradient(
  b: FunctionBuilder,
  spec: Conv2dWeightGradientSpec,
  target: Target,
): void {
  const { geometry: g, input } = spec;
  const taps = g.kernelHeight * g.kernelWidth;
  const corner = b.local('i32', 'corner');
  b.get(b.param('input'))
    .i32(4 * (g.padding.top * input.rowStride + g.padding.left * input.pixelStride))
    .op('i32.sub')
    .set(corner);
  const pointers = [corner, b.param('gradOutput'), b.param('gradWeight')];
  forChannels(b, g.groups, pointers, target, (group, [source, gradient, result]) => {
    for (let first = 0; first < taps; first += MOST_TAPS) {
      const some = Array.from({ length: Math.min(MOST_TAPS, taps - first) }, (_, i) => first + i);
      emitTapSums(b, spec, group, some, [source!, gradient!, result!]);
    }
  });
}

function emitTapSums(
  b: FunctionBuilder,
  spec: Conv2dWeightGradientSpec,
  group: ChannelGroup,
  taps: readonly number[],
  [source, gradient, result]: readonly [Local, Local, Local],
): void {
  const { geometry: g, input, gradOutput, accumulate, flip } = spec;
  const last = g.kernelHeight * g.kernelWidth - 1;
  const place = (tap: number, part: number) => 4 * (flip ? last - tap : tap) * g.outChannels + 16 * part;
  const sums = taps.map(() => b.localArray('v128', group.vectors, 'sum'));
  taps.forEach((tap, i) => {
    sums[i]!.forEach((sum, part) => {
      if (accumulate) loadLanes(b, result, place(tap, part), lanesOf(group, part));
      else b.f32x4(0);
      b.set(sum);
    });
  });
  const level = (x: number, dy: number, from: readonly Local[]) => [
    { from: from[0]!, step: 4 * x },
    { from: from[1]!, step: 4 * dy },
  ];
  walk(b, b.param('count'), level(input.imageStride, gradOutput.imageStride, [source, gradient]), (image) => {
    walk(b, g.outHeight, level(g.strideY * input.rowStride, gradOutput.rowStride, image), (row) => {
      walk(b, g.outWidth, level(g.strideX * input.pixelStride, gradOutput.pixelStride, row), ([x, dy]) => {
        const gradients = loadGroup(b, group, dy, 0);
        taps.forEach((tap, i) => {
          const ky = Math.floor(tap / g.kernelWidth);
          const rowOffset = ky * g.dilationY * input.rowStride;
          const offset = 4 * (rowOffset + (tap % g.kernelWidth) * g.dilationX * input.pixelStride);
          const values = loadGroup(b, group, x, offset);
          sums[i]!.forEach((sum, part) => {
            b.get(sum).get(values[part]!).get(gradients[part]!).op('f32x4.mul').op('f32x4.add').set(sum);
          });
        });
      });
    });
  });
  taps.forEach((tap, i) => {
    sums[i]!.forEach((sum, part) => {
      storeLanes(b, result, place(tap, part), sum, lanesOf(group, part));
    });
  });
}
