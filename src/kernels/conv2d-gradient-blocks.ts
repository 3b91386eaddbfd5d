/**
 * The blocks in which the direct weight gradient's SIMD kernel works, and when it copies them. Where pixels lie a
 * multiple of 512 bytes apart, the lines that a tile reads fall into a few sets of the first-level cache and push each
 * other out before they are read again (measured: 39% of the micro-kernel's rate at 512 channels). A block is copied
 * into scratch then, with 16 floats between its pixels, so that consecutive pixels lie in consecutive sets.
 */
import type { ConvGeometry } from '../tensor/convolution.ts';
import { denseView, type View } from '../tensor/view.ts';

/** Bytes of inputs and gradients in a block: a part of a second-level cache of 1 MiB. */
const BLOCK_BYTES = 256 * 1024;
/** Of a copied block: what is read of it again lies close together, and fewer blocks pass over the weights. */
const COPIED_BLOCK_BYTES = 1024 * 1024;
/** Pixels whose distance in floats is a multiple of this share sets of the cache. */
const CONFLICTING_FLOATS = 128;
const GAP_FLOATS = 16;
/** Images of at most this many pixels are summed several at a time, of this many pixels together. */
const FEW_PIXELS = 32;
const FEW_PIXELS_TOGETHER = 192;

/** What the blocks depend on. */
export interface BlockSubject {
  readonly geometry: ConvGeometry;
  readonly input: View;
  readonly gradOutput: View;
}

/** Whether images are so small that a tile sums over several. */
export function sumsImagesTogether({ outHeight, outWidth }: ConvGeometry): boolean {
  return outHeight * outWidth <= FEW_PIXELS;
}

/** Whether a block is worth copying. */
export function worthCopying({ geometry: g, input, gradOutput }: BlockSubject): boolean {
  if (g.groups > 1 || sumsImagesTogether(g) || (g.inChannels | g.outChannels) % 4 !== 0) return false;
  const inputStep = input.pixelStride * g.strideX;
  return inputStep % CONFLICTING_FLOATS === 0 || gradOutput.pixelStride % (2 * CONFLICTING_FLOATS) === 0;
}

/** Images of a block, and rows of gradOutput where a block is a part of one image. */
export function blockSize(subject: BlockSubject, copied: boolean): { images: number; rows: number } {
  const { geometry: g, input, gradOutput } = subject;
  if (sumsImagesTogether(g)) {
    return { images: Math.ceil(FEW_PIXELS_TOGETHER / (g.outHeight * g.outWidth)), rows: g.outHeight };
  }
  const bytes = copied ? COPIED_BLOCK_BYTES : BLOCK_BYTES;
  const imageBytes = 4 * (input.imageStride + gradOutput.imageStride);
  const images = Math.max(1, Math.floor(bytes / imageBytes));
  const rows = Math.max(1, Math.floor((bytes * g.outHeight) / imageBytes));
  return { images, rows: images > 1 ? g.outHeight : Math.min(rows, g.outHeight) };
}

/** Rows and pixels of the input that so many rows of gradOutput read. */
export function inputExtent(g: ConvGeometry, rows: number): { rows: number; columns: number } {
  return {
    rows: (rows - 1) * g.strideY + (g.kernelHeight - 1) * g.dilationY + 1,
    columns: (g.outWidth - 1) * g.strideX + (g.kernelWidth - 1) * g.dilationX + 1,
  };
}

/** The views of a copied block: the input from the first pixel that is read on, padding and all. */
export function copiedViews(subject: BlockSubject): { input: View; gradOutput: View } {
  const { geometry: g } = subject;
  const { rows } = blockSize(subject, true);
  const extent = inputExtent(g, rows);
  return {
    input: spreadView(extent.rows, extent.columns, g.inChannels),
    gradOutput: spreadView(rows, g.outWidth, g.outChannels),
  };
}

/** Elements of scratch: the inputs of a block, then its gradients. */
export function blockScratchLength(subject: BlockSubject): number {
  const { input, gradOutput } = copiedViews(subject);
  return blockSize(subject, true).images * (input.imageStride + gradOutput.imageStride);
}

function spreadView(height: number, width: number, channels: number): View {
  return { ...denseView(height, width, channels + GAP_FLOATS), channels };
}
