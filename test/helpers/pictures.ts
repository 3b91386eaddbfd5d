/** Picture files for tests. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { loadSharp } from '../../src/data/images/sharp.ts';

/** Writes a picture of noise around one colour, in the format of its name's end; makes the folder. */
export async function writePicture(
  file: string,
  options: { readonly width?: number; readonly height?: number; readonly colour?: readonly number[] } = {},
): Promise<void> {
  const { width = 20, height = 16, colour = [120, 60, 30] } = options;
  const sharp = await loadSharp();
  const channels = colour.length as 1 | 2 | 3 | 4;
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) =>
    Math.min(255, colour[i % channels]! + ((i * 7919) % 23)),
  );
  mkdirSync(path.dirname(file), { recursive: true });
  await sharp(data, { raw: { width, height, channels } }).toFile(file);
}

/** A small PNG file that claims any size: its first row at most is there. */
export function pngBomb(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, body: Uint8Array) => {
    const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(body.length, 0);
    frame.writeUInt32BE(crc32(typed), 4);
    return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(new Uint8Array(3 * width + 1));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Two classes of pictures of different colours, `count` each: reddish and bluish, in folders of these names. */
export async function writeTwoClasses(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const size = { width: 18 + ((i * 5) % 13), height: 17 + ((i * 3) % 11) };
    const kind = ['jpg', 'png', 'webp'][i % 3]!;
    const name = String(i).padStart(3, '0');
    await writePicture(path.join(folder, 'red', `${name}.${kind}`), { ...size, colour: [180, 40, 50] });
    await writePicture(path.join(folder, 'blue', `${name}.${kind}`), { ...size, colour: [40, 50, 180] });
  }
}

/** Half of a picture file. */
export async function writeTruncated(file: string): Promise<void> {
  await writePicture(file, { width: 64, height: 64 });
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
}
