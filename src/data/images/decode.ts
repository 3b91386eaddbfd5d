/**
 * Pictures from files: JPEG, PNG and WebP, by the package sharp, which is loaded when it is first needed. Files come
 * from strangers: what a file is is told by its first bytes, its size and its pixels are bounded before any is decoded,
 * and what is damaged is an error, not a grey image.
 */
import { open, stat } from 'node:fs/promises';
import { DataError, FileError } from '../../errors.ts';
import type { Pixels } from './resize.ts';
import { loadSharp } from './sharp.ts';

export interface DecodeOptions {
  /** 3 (RGB, default) or 1 (grey: 0.299 R + 0.587 G + 0.114 B, rounded). */
  readonly channels?: 1 | 3;
  /** Larger images are refused before they are decoded. Default 67,108,864 (8192 x 8192). */
  readonly maxPixels?: number;
}

export const DEFAULT_MAX_PIXELS = 67_108_864;
const MAX_FILE_BYTES = 268_435_456;
/**
 * A JPEG has at least one Huffman code, so one bit, for every 8 x 8 pixels. (Arithmetic coding, which hardly anything
 * writes, may take less for areas of one colour.) Decoders draw grey where a file claims more than it has.
 */
const MOST_JPEG_PIXELS_A_BYTE = 8 * 64;

/**
 * The picture in a file, upright (EXIF), 8 bits a channel, transparent parts on white, of an animation the first frame.
 * Throws FileError where it cannot be read, DataError where it is no picture, damaged or too large, ConfigError
 * where sharp is not installed.
 */
export async function decodeImage(file: string, options: DecodeOptions = {}): Promise<Pixels> {
  const { channels = 3, maxPixels = DEFAULT_MAX_PIXELS } = options;
  const sharp = await loadSharp();
  const bytes = await readWhole(file);
  checkFormat(file, bytes);
  const isJpeg = bytes[0] === 0xff;
  const limit = isJpeg ? Math.min(maxPixels, MOST_JPEG_PIXELS_A_BYTE * bytes.length) : maxPixels;
  const settings = { failOn: 'error', limitInputPixels: limit } as const;
  try {
    const { data, info } = await sharp(bytes, settings)
      .autoOrient()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const pixels = { width: info.width, height: info.height, channels: info.channels, data };
    return channels === 3 ? toRgb(pixels) : toGrey(toRgb(pixels));
  } catch (cause) {
    throw undecodable(file, limit, limit < maxPixels ? bytes.length : undefined, cause);
  }
}

async function readWhole(file: string): Promise<Uint8Array> {
  const fail = (received: string, cause?: unknown) =>
    new FileError(
      { operation: 'image', argument: file, expected: 'a file that can be read', received },
      { cause },
    );
  // Opening a named pipe would wait for somebody to write to it.
  const status = await stat(file).catch((cause) => {
    throw fail(cause.message, cause);
  });
  if (!status.isFile()) throw fail(status.isDirectory() ? 'a folder' : 'something that is no file');
  if (status.size > MAX_FILE_BYTES) throw fail(`${status.size} bytes, more than ${MAX_FILE_BYTES}`);
  try {
    const handle = await open(file);
    try {
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Other formats that sharp knows (SVG is a program for pictures) are none of ours. */
function checkFormat(file: string, bytes: Uint8Array): void {
  const begins = (at: number, ...wanted: readonly number[]) =>
    wanted.every((byte, i) => bytes[at + i] === byte);
  if (begins(0, 0xff, 0xd8, 0xff)) return;
  if (begins(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return;
  if (begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50)) return;
  const received = bytes.length === 0 ? 'an empty file' : 'other content';
  throw new DataError({ operation: 'image', argument: file, expected: 'a JPEG, PNG or WebP file', received });
}

/** `jpegBytes`: the size of a file that cannot hold more than `limit` pixels. */
function undecodable(file: string, limit: number, jpegBytes: number | undefined, cause: unknown): DataError {
  const text = cause instanceof Error ? cause.message.trim().split('\n').join('; ') : String(cause);
  const large = /exceeds pixel limit/i.test(text);
  const most = `at most ${limit.toLocaleString('en-US')} pixels`;
  const held = jpegBytes === undefined ? '' : `, all that a JPEG of ${jpegBytes} bytes can hold`;
  return new DataError(
    {
      operation: 'image',
      argument: file,
      expected: large ? most + held : 'a whole, undamaged picture',
      received: large ? 'more' : text,
      ...(large && jpegBytes === undefined && { hint: 'scale it down, or raise the limit' }),
    },
    { cause },
  );
}

/** RGB of grey, RGB and either with transparency, which is laid on white. */
function toRgb({ width, height, channels, data }: Pixels): Pixels {
  if (channels === 3) return { width, height, channels, data };
  const count = width * height;
  const rgb = new Uint8Array(3 * count);
  const transparent = channels === 2 || channels === 4;
  const green = channels > 2 ? 1 : 0;
  for (let i = 0; i < count; i++) {
    const alpha = transparent ? data[i * channels + channels - 1]! : 255;
    for (let c = 0; c < 3; c++) {
      const value = data[i * channels + c * green]!;
      rgb[3 * i + c] = Math.floor((value * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  return { width, height, channels: 3, data: rgb };
}

function toGrey({ width, height, data }: Pixels): Pixels {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = Math.floor((299 * data[3 * i]! + 587 * data[3 * i + 1]! + 114 * data[3 * i + 2]! + 500) / 1000);
  }
  return { width, height, channels: 1, data: grey };
}
