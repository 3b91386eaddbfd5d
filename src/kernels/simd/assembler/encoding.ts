/** Byte encodings of WebAssembly's binary format (specification 2.0, chapter 5): LEB128, floats, vectors. */

const floatBytes = new DataView(new ArrayBuffer(8));

/** Unsigned LEB128 of an integer below 2^32. */
export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Unsigned LEB128 in exactly five bytes, so that a later patch cannot move what follows. */
export function paddedLeb(value: number): number[] {
  return [0, 7, 14, 21, 28].map((shift) => ((value >>> shift) & 0x7f) | (shift === 28 ? 0 : 0x80));
}

/** Signed LEB128 of a 64-bit integer. */
export function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asIntN(64, value);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** Little-endian bytes of an f32. */
export function f32Bytes(value: number): number[] {
  floatBytes.setFloat32(0, value, true);
  return [0, 1, 2, 3].map((i) => floatBytes.getUint8(i));
}

/** Little-endian bytes of an f64. */
export function f64Bytes(value: number): number[] {
  floatBytes.setFloat64(0, value, true);
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => floatBytes.getUint8(i));
}

/** A name: its length in bytes, then UTF-8. */
export function nameBytes(name: string): number[] {
  const text = new TextEncoder().encode(name);
  return [...unsignedLeb(text.length), ...text];
}

/** A section or body: its size, then its bytes. */
export function sized(bytes: readonly number[]): number[] {
  return [...unsignedLeb(bytes.length), ...bytes];
}
