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
  if (chosen.length === 0) {
    throw new DataError({
      operation: 'standardize',
      argument: 'images',
      expected: 'at least one to measure',
      received: 'none',
    });
  }
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (const image of chosen) addImage(pixels, image * imageLength, imageLength, channels, sums, squares);
  const count = BigInt(chosen.length * (imageLength / channels));
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
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
