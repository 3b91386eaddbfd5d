/** Pictures that declare another size than they have: the numbers in the headers of JPEG, PNG and WebP. */
import { crc32 } from 'node:zlib';

/** The file with this size in its header; sides beyond the format's bits lose their upper ones. */
export function withDeclaredSize(bytes: Uint8Array, width: number, height: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy[0] === 0x89) declarePng(copy, width, height);
  else if (copy[0] === 0xff) declareJpeg(copy, width, height);
  else declareWebp(copy, width, height);
  return copy;
}

/** IHDR is the first chunk: width, height, 5 bytes, checksum over its name and content. */
function declarePng(file: Buffer, width: number, height: number): void {
  file.writeUInt32BE(width >>> 0, 16);
  file.writeUInt32BE(height >>> 0, 20);
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
}

/** SOF0 to SOF2: length, precision, height, width, in segments that follow one another by their lengths. */
function declareJpeg(file: Buffer, width: number, height: number): void {
  for (let at = 2; at + 9 <= file.length && file[at] === 0xff; at += 2 + file.readUInt16BE(at + 2)) {
    if (file[at + 1]! < 0xc0 || file[at + 1]! > 0xc2) continue;
    file.writeUInt16BE(height & 0xffff, at + 5);
    file.writeUInt16BE(width & 0xffff, at + 7);
    return;
  }
}

/** VP8X has both less one in 24 bits, VP8L in 14, VP8 as they are in 14. */
function declareWebp(file: Buffer, width: number, height: number): void {
  for (let at = 12; at + 20 <= file.length; at += 8 + file.readUInt32LE(at + 4) + (file[at + 4]! & 1)) {
    const kind = file.toString('latin1', at, at + 4);
    if (kind === 'VP8X') {
      file.writeUIntLE((width - 1) & 0xffffff, at + 12, 3);
      file.writeUIntLE((height - 1) & 0xffffff, at + 15, 3);
    } else if (kind === 'VP8L') {
      const rest = file.readUInt32LE(at + 9) & 0xf0000000;
      file.writeUInt32LE((((width - 1) & 0x3fff) | (((height - 1) & 0x3fff) << 14) | rest) >>> 0, at + 9);
    } else if (kind === 'VP8 ') {
      file.writeUInt16LE(width & 0x3fff, at + 14);
      file.writeUInt16LE(height & 0x3fff, at + 16);
    }
  }
}
