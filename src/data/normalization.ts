/**
 * Channel means and standard deviations of byte images [N, H, W, C], exactly: sums of x and x^2 are integers
 * (below 2^53), the variance (n * sum x^2 - (sum x)^2) / n^2 is taken over big integers, and only the last
 * division and root round. The order of the samples therefore cannot change a bit.
 */
import { DataError } from '../errors.ts';
import type { Normalization } from './dataset.ts';

/**
 * Per-channel standardisation measured over the images `chosen` of `pixels`, in units of 0..1 (byte / 255),
 * with the population's standard deviation. A constant channel gets 1, so that it maps to 0.
 * Throws DataError for no images.
 */
export function measureStandardization(
  pixels: Uint8Array,
  imageLength: number,
  channels: number,
  chosen: Uint32Array,
): Normalization & { kind: 'standardize' } {
  if (chosen.length === 0) throw nothingToMeasure();
  const total = zeroSums(channels);
  for (const image of chosen) {
    const start = image * imageLength;
    addImage(pixels, start, imageLength, channels, total.sums, total.squares);
  }
  return fromSums(total, BigInt(chosen.length * (imageLength / channels)));
}

/** What an image adds to means and deviations: for each channel the sums of x and of x^2, over `count` pixels. */
export interface ChannelSums {
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  readonly count: number;
}

/** Of one image [H, W, C] of bytes. */
export function sumChannels(pixels: Uint8Array, channels: number): ChannelSums {
  const found = zeroSums(channels);
  addImage(pixels, 0, pixels.length, channels, found.sums, found.squares);
  return { ...found, count: pixels.length / channels };
}

/** `measureStandardization` of images that are not all in memory: over their sums, which are exact. */
export function standardizationOf(images: readonly ChannelSums[]): Normalization & { kind: 'standardize' } {
  if (images.length === 0) throw nothingToMeasure();
  const total = zeroSums(images[0]!.sums.length);
  let count = 0;
  for (const image of images) {
    image.sums.forEach((sum, c) => {
      total.sums[c] = total.sums[c]! + sum;
      total.squares[c] = total.squares[c]! + image.squares[c]!;
    });
    count += image.count;
  }
  return fromSums(total, BigInt(count));
}

function zeroSums(channels: number) {
  return { sums: new Float64Array(channels), squares: new Float64Array(channels) };
}

function nothingToMeasure(): DataError {
  return new DataError({
    operation: 'standardize',
    argument: 'images',
    expected: 'at least one to measure',
    received: 'none',
  });
}

function fromSums(
  { sums, squares }: Pick<ChannelSums, 'sums' | 'squares'>,
  count: bigint,
): Normalization & { kind: 'standardize' } {
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < sums.length; c++) {
    const sum = BigInt(sums[c] as number);
    const spread = count * BigInt(squares[c] as number) - sum * sum;
    mean.push(Number(sum) / Number(count * 255n));
    std.push(spread === 0n ? 1 : Math.sqrt(Number(spread)) / Number(count * 255n));
  }
  return { kind: 'standardize', mean, std };
}

function addImage(
  pixels: Uint8Array,
  start: number,
  length: number,
  channels: number,
  sums: Float64Array,
  squares: Float64Array,
): void {
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    let square = 0;
    for (let i = start + c; i < start + length; i += channels) {
      const value = pixels[i] as number;
      sum += value;
      square += value * value;
    }
    sums[c] = (sums[c] as number) + sum;
    squares[c] = (squares[c] as number) + square;
  }
}
