/** Changes bytes the way damage and malice do: cut, flipped, overwritten, moved, numbers at the edges put in. */
import { EDGE_NUMBERS, type Random } from './random.ts';

/** Bytes that none of the changes made longer than this by itself. */
const MOST_ADDED = 4096;

/** One change. `header` is where changes are worth most: half of them fall there. */
export function changeBytes(random: Random, bytes: Uint8Array, header = bytes.length): Uint8Array {
  const at = random.int((random.chance(0.5) ? Math.min(header, bytes.length) : bytes.length) + 1);
  const length = random.int(random.chance(0.5) ? 9 : 600);
  const end = Math.min(bytes.length, at + length);
  switch (random.int(10)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
    case 2:
      return withByte(bytes, at, (byte) => byte ^ (1 << random.int(8)));
    case 3:
      return withByte(bytes, at, () =>
        random.pick([0, 1, 0x20, 0x22, 0x7b, 0x7f, 0x80, 0xff, random.int(256)]),
      );
    case 4:
      return withNumber(random, bytes, at);
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(end));
    case 6:
      return joined(bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end));
    case 7:
      return joined(bytes.subarray(0, at), noise(random, Math.min(length, MOST_ADDED)), bytes.subarray(at));
    case 8: {
      const copy = bytes.slice();
      copy.fill(random.pick([0, 0xff, 0x20]), at, end);
      return copy;
    }
    default: {
      const copy = bytes.slice();
      copy.copyWithin(random.int(bytes.length + 1), at, end);
      return copy;
    }
  }
}

function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = change(copy[at]!);
  return copy;
}

/** A number at the edges over 1, 2, 4 or 8 bytes, mostly little-endian. */
function withNumber(random: Random, bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  const value = BigInt(random.pick(EDGE_NUMBERS)) - BigInt(random.int(2));
  const size = random.pick([1, 2, 4, 8]);
  const big = random.chance(0.2);
  for (let i = 0; i < size && at + i < copy.length; i++) {
    copy[at + i] = Number((value >> BigInt(8 * (big ? size - 1 - i : i))) & 255n);
  }
  return copy;
}

function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.int(256));
}

/** The parts one after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
