/**
 * Philox4x32-10, the counter-based random generator of Salmon, Moraes, Dror, Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011: a bijection of a 128-bit counter under a 64-bit key, so that
 * any number of a stream is had without the ones before it. Only 32-bit integer operations that
 * WebAssembly has too.
 */

/** Multipliers and Weyl increments of the paper; a SIMD twin takes them from here. */
export const PHILOX = {
  multiplier0: 0xd2511f53,
  multiplier1: 0xcd9e8d57,
  weyl0: 0x9e3779b9,
  weyl1: 0xbb67ae85,
  rounds: 10,
} as const;

const M0 = PHILOX.multiplier0 | 0;
const M1 = PHILOX.multiplier1 | 0;
const W0 = PHILOX.weyl0 | 0;
const W1 = PHILOX.weyl1 | 0;

/** Upper 32 bits (as i32) of the unsigned 64-bit product of two words. No intermediate exceeds 32 bits. */
export function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/** Writes the four words of the block at counter (c0, c1, c2, c3) under key (k0, k1) to `out[at .. at+3]`. */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array | Int32Array,
  at = 0,
): void {
  c0 |= 0;
  c1 |= 0;
  c2 |= 0;
  c3 |= 0;
  k0 |= 0;
  k1 |= 0;
  for (let round = 0; round < PHILOX.rounds; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}
