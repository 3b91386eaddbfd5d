/**
 * Which convolutions the Winograd kernels take, and how an image falls into tiles.
 *
 * Tile (ty, tx) holds outputs (ty*m .. ty*m+m-1, tx*m .. tx*m+m-1) and reads inputs from
 * (ty*m - padTop, tx*m - padLeft) on, t in each direction. Where m does not divide the output, the last
 * tiles overhang it: what they compute outside is dropped.
 */
import { ShapeError } from '../errors.ts';
import type { ConvGeometry } from '../tensor/convolution.ts';
import { type OutputTile, winogradMatrices } from './winograd-transforms.ts';

/**
 * Tiles that the forward kernels carry through transforms and products together. The transformed weights are read
 * once a block: where they come from the second-level cache, small blocks are best, because V and M stay there too;
 * where they come from further away, each must serve more tiles (measured). It changes no bits.
 */
export function forwardTileBlock({ inChannels, outChannels }: ConvGeometry): number {
  const products = inChannels * outChannels;
  if (products <= 128 * 128) return 8;
  return products <= 256 * 256 ? 16 : 32;
}

/**
 * Tiles that the weight gradient's kernels carry together. Its sums are read and written once a block, so
 * where they do not fit into the second-level cache beside the tiles, larger blocks pay (measured).
 */
export function gradientTileBlock({ inChannels, outChannels }: ConvGeometry): number {
  return inChannels * outChannels <= 2048 ? 16 : 32;
}

/** t, inputs along an axis of a tile. */
export function tileOf(outputTile: OutputTile): number {
  return winogradMatrices(outputTile).tile;
}

/** t*t, multiplications of a tile. */
export function tileArea(outputTile: OutputTile): number {
  const tile = tileOf(outputTile);
  return tile * tile;
}

/** Whether the Winograd kernels compute this convolution: 3x3, stride, dilation and groups 1, any padding. */
export function winogradFits(g: ConvGeometry): boolean {
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, groups } = g;
  const plain = [strideY, strideX, dilationY, dilationX, groups].every((value) => value === 1);
  return plain && kernelHeight === 3 && kernelWidth === 3;
}

/** Throws ShapeError unless `winogradFits`. */
export function checkWinogradGeometry(operation: string, g: ConvGeometry): void {
  if (winogradFits(g)) return;
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, groups } = g;
  throw new ShapeError({
    operation,
    argument: 'geometry',
    expected: 'a 3x3 kernel with strides, dilation and groups of 1',
    received: `${kernelHeight}x${kernelWidth}, strides ${strideY}x${strideX}, dilation ${dilationY}x${dilationX}, groups ${groups}`,
    hint: 'use the direct kernel',
  });
}

/**
 * The convolution that computes the input gradient of `g`: gradOutput is its input, its padding is
 * 2 - padding (negative where more than the kernel's reach was padded), channels are swapped.
 */
export function inputGradientGeometry(g: ConvGeometry): ConvGeometry {
  checkWinogradGeometry('inputGradientGeometry', g);
  const { top, right, bottom, left } = g.padding;
  return {
    ...g,
    inHeight: g.outHeight,
    inWidth: g.outWidth,
    inChannels: g.outChannels,
    outHeight: g.inHeight,
    outWidth: g.inWidth,
    outChannels: g.inChannels,
    padding: { top: 2 - top, right: 2 - right, bottom: 2 - bottom, left: 2 - left },
  };
}

/** Tiles down and across an image. */
export function tileGrid(g: ConvGeometry, outputTile: OutputTile): readonly [number, number] {
  return [Math.ceil(g.outHeight / outputTile), Math.ceil(g.outWidth / outputTile)];
}

/** Channels rounded up to whole vectors of 4. */
export function wholeVectors(channels: number): number {
  return Math.ceil(channels / 4) * 4;
}

/** How V or M lies in scratch: floats from tile to tile, and from element to element of the transformed tiles. */
export interface SlabStrides {
  readonly tile: number;
  readonly element: number;
}

/** Floats of a line of the caches. */
export const LINE_FLOATS = 16;
/** From so many channels on the forward kernels are faster without the line (measured). */
const MANY_CHANNELS = 256;

/**
 * The strides of `tiles` tiles of `channels` each in the weight gradient. The elements of a tile are read together, so
 * a line lies between them: without it all of them would share a few sets of the first-level cache.
 */
export function gradientSlab(channels: number, tiles: number): SlabStrides {
  const tile = wholeVectors(channels);
  return { tile, element: tiles * tile + LINE_FLOATS };
}

/**
 * Floats from one of the t*t matrices of the weight gradient's sums to the next, in panels as transformed weights are:
 * a line lies between them, too.
 */
export function gradientSumsSlab({ inChannels, outChannels }: ConvGeometry): number {
  return inChannels * wholeVectors(outChannels) + LINE_FLOATS;
}

/** The same in the forward kernels. */
export function forwardSlab(channels: number, tiles: number): SlabStrides {
  const { tile, element } = gradientSlab(channels, tiles);
  return { tile, element: channels < MANY_CHANNELS ? element : tiles * tile };
}
