/**
 * The forward pass and the input gradient as one thing: grids of pixels that share a constant set of taps.
 * The forward pass is one grid; the input gradient is one grid for each residue class of pixels modulo the
 * strides, because only every stride-th tap reaches a pixel. Offsets and steps in bytes.
 */
import type { ConvGeometry } from '../../tensor/convolution.ts';
import type { View } from '../../tensor/view.ts';

/** One axis of a grid. */
export interface GridAxis {
  /** Pixels along this axis. */
  readonly pixels: number;
  /** From the origin of the source image to the first tap of the first pixel, and from pixel to pixel. */
  readonly sourceStart: number;
  readonly sourceStep: number;
  /** From the origin of the output image to the first pixel, and from pixel to pixel. */
  readonly outputStart: number;
  readonly outputStep: number;
  /** Taps that reach these pixels, and from tap to tap in the source. */
  readonly taps: number;
  readonly tapStep: number;
  /** Position of the first tap in the packed order, and from tap to tap. */
  readonly weightStart: number;
  readonly weightStep: number;
}

/** A rectangular grid of pixels. */
export interface TapGrid {
  readonly vertical: GridAxis;
  readonly horizontal: GridAxis;
}

/** What a convolution says of one axis. */
interface ConvAxis {
  readonly inExtent: number;
  readonly outExtent: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
  /** Packed taps from one tap of this axis to the next. */
  readonly unit: number;
}

/** The grid of the forward pass: the source is the input. */
export function forwardGrids(g: ConvGeometry, input: View, output: View): TapGrid[] {
  const vertical = forwardAxis(verticalAxis(g), 4 * input.rowStride, 4 * output.rowStride);
  const horizontal = forwardAxis(horizontalAxis(g), 4 * input.pixelStride, 4 * output.pixelStride);
  return [{ vertical, horizontal }];
}

/** The grids of the input gradient, which together cover each pixel once: the source is gradOutput. */
export function inputGradientGrids(g: ConvGeometry, gradOutput: View, gradInput: View): TapGrid[] {
  const rows = gradientAxes(verticalAxis(g), 4 * gradOutput.rowStride, 4 * gradInput.rowStride);
  const columns = gradientAxes(horizontalAxis(g), 4 * gradOutput.pixelStride, 4 * gradInput.pixelStride);
  return rows.flatMap((vertical) => columns.map((horizontal) => ({ vertical, horizontal })));
}

function verticalAxis(g: ConvGeometry): ConvAxis {
  return {
    inExtent: g.inHeight,
    outExtent: g.outHeight,
    taps: g.kernelHeight,
    stride: g.strideY,
    dilation: g.dilationY,
    pad: g.padding.top,
    unit: g.kernelWidth,
  };
}

function horizontalAxis(g: ConvGeometry): ConvAxis {
  return {
    inExtent: g.inWidth,
    outExtent: g.outWidth,
    taps: g.kernelWidth,
    stride: g.strideX,
    dilation: g.dilationX,
    pad: g.padding.left,
    unit: 1,
  };
}

function forwardAxis(axis: ConvAxis, source: number, output: number): GridAxis {
  return {
    pixels: axis.outExtent,
    sourceStart: -axis.pad * source,
    sourceStep: axis.stride * source,
    outputStart: 0,
    outputStep: output,
    taps: axis.taps,
    tapStep: axis.dilation * source,
    weightStart: 0,
    weightStep: axis.unit,
  };
}

/** A residue's pixels are residue + i*stride; the taps t that reach them have stride | residue + pad - t*dilation. */
function gradientAxes(axis: ConvAxis, source: number, output: number): GridAxis[] {
  const { stride, dilation, pad } = axis;
  return Array.from({ length: Math.min(stride, axis.inExtent) }, (_, residue) => {
    const descending = Array.from({ length: axis.taps }, (_, i) => axis.taps - 1 - i);
    const taps = descending.filter((t) => (residue + pad - t * dilation) % stride === 0);
    // These taps are evenly spaced, as the solutions of a linear congruence are.
    const [first = 0, second = first] = taps;
    return {
      pixels: Math.ceil((axis.inExtent - residue) / stride),
      sourceStart: Math.floor((residue + pad - first * dilation) / stride) * source,
      sourceStep: source,
      outputStart: residue * output,
      outputStep: stride * output,
      taps: taps.length,
      tapStep: (((first - second) * dilation) / stride) * source,
      weightStart: (axis.taps - 1 - first) * axis.unit,
      weightStep: (first - second) * axis.unit,
    };
  });
}
