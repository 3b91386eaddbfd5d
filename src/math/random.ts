/**
 * Addressed randomness: every number is a pure function of a stream's key and an address, whoever
 * computes it and when. A stream is (seed, purpose, name); an address is four u32 words
 * (index, sample, stepLow, stepHigh), which are Philox's counter; words left out are 0, others are taken
 * modulo 2^32. All functions of one key look at the same words, so give each purpose a key of its own.
 *
 * Element addressing, for bulk kernels: element e of a sample is word (e >>> 2) & 3 of the block at
 * counter ((e >>> 4) * 4 + (e & 3), sample, stepLow, stepHigh). Sixteen elements take four blocks;
 * with one block a SIMD lane, word vector w of the four blocks is elements 4w .. 4w+3, in order.
 */
import { ConfigError } from '../errors.ts';
import { powerOfTwo } from './bits.ts';
import { log } from './log.ts';
import { philox4x32 } from './philox.ts';
import { cos } from './trigonometry.ts';

/** The key of a stream: two u32 words. */
export type StreamKey = readonly [number, number];

export const TWO_PI = 6.283185307179586;
export const ULP_53 = powerOfTwo(-53);
const block = new Uint32Array(4);

/** Low and high word of an integer from 0 to 2^53-1 (a step, an epoch, a seed). */
export function splitWords(value: number): readonly [number, number] {
  return [value >>> 0, Math.floor(value / 4294967296) >>> 0];
}

/**
 * The key of the stream for `purpose` ('dropout', 'shuffle', ...) and, where there are several, `name`
 * (a layer's). Philox is chained as a hash: the state starts as the seed's two words and serves as key;
 * each text is absorbed as a header block (role, length, 0, 0), then in blocks of eight UTF-16 units, two
 * a word, the last padded with 0; the first two words of each block are the next state. The header makes
 * the encoding prefix-free, so ('ab', 'c'), ('a', 'bc') and ('abc') differ.
 * Throws ConfigError unless `seed` is an integer from 0 to 2^53-1.
 */
export function streamKey(seed: number, purpose: string, name?: string): StreamKey {
  checkInteger('streamKey', 'seed', seed, Number.MAX_SAFE_INTEGER);
  const key = absorb(splitWords(seed), 1, purpose);
  return name === undefined ? key : absorb(key, 2, name);
}

function absorb(key: StreamKey, role: number, text: string): StreamKey {
  philox4x32(role, text.length, 0, 0, key[0], key[1], block);
  // Past the end charCodeAt is NaN, which `|` takes as 0: the padding.
  const word = (at: number): number => text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
  for (let at = 0; at < text.length; at += 8) {
    philox4x32(word(at), word(at + 2), word(at + 4), word(at + 6), block[0]!, block[1]!, block);
  }
  return [block[0]!, block[1]!];
}

/** The first word (u32) of the block at an address. */
export function randomWord(key: StreamKey, index: number, sample = 0, stepLow = 0, stepHigh = 0): number {
  philox4x32(index, sample, stepLow, stepHigh, key[0], key[1], block);
  return block[0]!;
}

/** Uniform in [0, 1), a multiple of 2^-53, from the block's first two words. */
export function uniform(key: StreamKey, index: number, sample = 0, stepLow = 0, stepHigh = 0): number {
  philox4x32(index, sample, stepLow, stepHigh, key[0], key[1], block);
  return fraction53(block[0]!, block[1]!);
}

/** `uniform` written to out[at]: for loops that must not make garbage, as a returned double may be an object. */
export function writeUniform(
  out: Float64Array,
  at: number,
  key: StreamKey,
  index: number,
  sample: number,
  stepLow: number,
  stepHigh: number,
): void {
  philox4x32(index, sample, stepLow, stepHigh, key[0], key[1], block);
  out[at] = fraction53(block[0]!, block[1]!);
}

/**
 * Standard normal deviate by Box and Muller (1958), sqrt(-2 ln u) cos(2 pi v), with u in (0, 1] from the
 * block's first two words and v in [0, 1) from the others; at most 8.58 in magnitude.
 */
export function normal(key: StreamKey, index: number, sample = 0, stepLow = 0, stepHigh = 0): number {
  philox4x32(index, sample, stepLow, stepHigh, key[0], key[1], block);
  const u = fraction53(block[0]!, block[1]!) + ULP_53;
  const v = fraction53(block[2]!, block[3]!);
  return boxMuller(u, v);
}

/** sqrt(-2 ln u) cos(2 pi v): standard normal for uniform u in (0, 1] and v in [0, 1]. */
export function boxMuller(u: number, v: number): number {
  return Math.sqrt(-2 * log(u)) * cos(TWO_PI * v);
}

/** The word (u32) of one element, by the element addressing above: the reference for bulk kernels. */
export function elementWord(key: StreamKey, element: number, sample = 0, stepLow = 0, stepHigh = 0): number {
  const counter = (element >>> 4) * 4 + (element & 3);
  philox4x32(counter, sample, stepLow, stepHigh, key[0], key[1], block);
  return block[(element >>> 2) & 3]!;
}

/** Writes the words of elements 16*group .. 16*group+15, equal to `elementWord` of each, to `out[0 .. 15]`. */
export function elementWords(
  key: StreamKey,
  group: number,
  out: Uint32Array,
  sample = 0,
  stepLow = 0,
  stepHigh = 0,
): void {
  for (let lane = 0; lane < 4; lane++) {
    philox4x32(group * 4 + lane, sample, stepLow, stepHigh, key[0], key[1], block);
    for (let word = 0; word < 4; word++) out[word * 4 + lane] = block[word]!;
  }
}

/**
 * An unbiased integer in [0, bound), bound from 1 to 2^32: the word at (index, attempt, stepLow, stepHigh)
 * modulo bound, where attempt 0, 1, ... is the first whose word lies below the largest multiple of bound
 * that 32 bits hold (rejected with a probability below bound / 2^32).
 */
export function integerBelow(
  key: StreamKey,
  bound: number,
  index: number,
  stepLow = 0,
  stepHigh = 0,
): number {
  const limit = 4294967296 - (4294967296 % bound);
  let attempt = 0;
  let word: number;
  do {
    philox4x32(index, attempt++, stepLow, stepHigh, key[0], key[1], block);
    word = block[0]!;
  } while (word >= limit);
  return word % bound;
}

/**
 * A random order of 0 .. size-1, a pure function of (key, size, epoch): Fisher and Yates' shuffle from the
 * end, the partner of position i drawn by `integerBelow(key, i + 1, i, epoch)`.
 * Throws ConfigError unless size is an integer from 0 to 2^32-1 and epoch one from 0 to 2^53-1.
 */
export function permutation(key: StreamKey, size: number, epoch: number): Uint32Array {
  checkInteger('permutation', 'size', size, 4294967295);
  checkInteger('permutation', 'epoch', epoch, Number.MAX_SAFE_INTEGER);
  const [low, high] = splitWords(epoch);
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i++) order[i] = i;
  for (let i = size - 1; i > 0; i--) {
    const j = integerBelow(key, i + 1, i, low, high);
    const moved = order[i]!;
    order[i] = order[j]!;
    order[j] = moved;
  }
  return order;
}

/** 27 bits of one word and 26 of another as a fraction in [0, 1). */
function fraction53(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) * ULP_53;
}

function checkInteger(operation: string, argument: string, value: number, largest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return;
  throw new ConfigError({
    operation,
    argument,
    expected: `an integer from 0 to ${largest}`,
    received: String(value),
  });
}
