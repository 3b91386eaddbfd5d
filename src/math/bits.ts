/**
 * The bits of a double, seen through one shared buffer: what wasm's i64.reinterpret_f64 and
 * f64.reinterpret_i64 do, as two 32-bit words.
 */

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);
const HIGH = new Uint8Array(Int32Array.of(1).buffer)[0] === 1 ? 1 : 0;
const LOW = 1 - HIGH;

/** Upper 32 bits (sign, exponent, 20 bits of fraction) as an i32. */
export function highWord(x: number): number {
  doubles[0] = x;
  return words[HIGH]!;
}

/** `x` with its upper 32 bits replaced. */
export function withHighWord(x: number, high: number): number {
  doubles[0] = x;
  words[HIGH] = high;
  return doubles[0];
}

/** 2^k for an integer k from -1022 to 1023. */
export function powerOfTwo(k: number): number {
  words[HIGH] = (k + 1023) << 20;
  words[LOW] = 0;
  return doubles[0]!;
}
