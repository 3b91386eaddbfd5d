/**
 * Reads .tar.gz archives from strangers: a minimal, distrustful reader of POSIX ustar over zlib.
 *
 * An archive is 512-byte blocks: a header (name, octal size, checksum, type, ...), then the file's bytes
 * padded to whole blocks; two blocks of zeros end it. Only regular files are handed out. Folders and pax
 * records are passed over; links, devices and other types, names that are absolute or climb with `..`, wrong
 * checksums, and anything above the limits are refused. Source: POSIX.1-2017, `pax`, "ustar Interchange Format".
 */
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { type ErrorDetails, FormatError } from '../errors.ts';

/** What an archive may not exceed. */
export interface TarLimits {
  /** Bytes after decompression, headers included. */
  readonly maxBytes: number;
  /** Headers of any type. */
  readonly maxEntries: number;
}

/** One regular file in an archive. */
export interface TarEntry {
  /** Path inside the archive, with `/`; relative, without `..`. */
  readonly name: string;
  readonly size: number;
  /** The bytes, piece by piece, exactly `size` in all; may be left unread. */
  readonly body: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;

/**
 * The regular files of a .tar.gz, in its order. A body must be read before the next entry is asked for.
 * Throws FormatError for an archive that is damaged, truncated, too large or hostile.
 */
export async function* tarEntries(archive: string, limits: TarLimits): AsyncGenerator<TarEntry> {
  const source = createReadStream(archive);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  const reader = blockReader(archive, source.pipe(gunzip), limits.maxBytes);
  try {
    for (let entries = 0; ; entries++) {
      const block = await reader.take(BLOCK);
      if (block.every((byte) => byte === 0)) return;
      if (entries >= limits.maxEntries) {
        throw refusal(archive, 'entries', `at most ${limits.maxEntries}`, 'more');
      }
      const header = parseHeader(archive, reader.position - BLOCK, block);
      const end = reader.position + Math.ceil(header.size / BLOCK) * BLOCK;
      if (header.type === 'file') {
        yield { name: header.name, size: header.size, body: bodyOf(reader, header.size) };
      }
      while (reader.position < end) await reader.takeSome(end - reader.position);
    }
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** Options of `unpackTarGz`. */
export interface UnpackOptions extends TarLimits {
  /** The archive's own top folder, which becomes `directory`. */
  readonly topFolder: string;
}

/**
 * Unpacks the folder `topFolder` of an archive as `directory`. It is built beside it under a temporary name and
 * then renamed, so that a `directory` of that name is always whole; where another process was
 * first, its result stays. Files outside `topFolder` are not written. Throws FormatError as `tarEntries` does.
 */
export async function unpackTarGz(archive: string, directory: string, options: UnpackOptions): Promise<void> {
  await mkdir(path.dirname(directory), { recursive: true });
  await removeAbandoned(directory);
  const building = await mkdtemp(`${directory}.partial-`);
  try {
    let files = 0;
    for await (const entry of tarEntries(archive, options)) {
      if (!entry.name.startsWith(`${options.topFolder}/`)) continue;
      await writeEntry(archive, building, entry, entry.name.slice(options.topFolder.length + 1));
      files++;
    }
    if (files === 0) throw refusal(archive, 'content', `files in ${options.topFolder}/`, 'none');
    await rename(building, directory).catch(async (error: unknown) => {
      // A folder with files in it can be replaced on no system: another process has finished first.
      if (!(await isDirectory(directory))) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Removes what killed runs have left; a run at work is younger than an hour. */
async function removeAbandoned(directory: string): Promise<void> {
  const parent = path.dirname(directory);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${path.basename(directory)}.partial-`)) continue;
    const left = path.join(parent, name);
    const ageMs = Date.now() - ((await stat(left).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (ageMs > 3_600_000) await rm(left, { recursive: true, force: true });
  }
}

async function writeEntry(archive: string, directory: string, entry: TarEntry, name: string): Promise<void> {
  const file = path.join(directory, ...name.split('/'));
  await mkdir(path.dirname(file), { recursive: true });
  // 'wx' refuses a second entry of the same name.
  const handle = await open(file, 'wx').catch((error: unknown) => {
    throw refusal(archive, `entry ${entry.name}`, 'a name that occurs once', 'it twice', error);
  });
  try {
    await handle.writeFile(entry.body);
  } finally {
    await handle.close();
  }
}

async function isDirectory(name: string): Promise<boolean> {
  return stat(name).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

interface Header {
  readonly name: string;
  readonly size: number;
  /** 'other' is passed over. */
  readonly type: 'file' | 'other';
}

function parseHeader(archive: string, offset: number, block: Uint8Array): Header {
  const where = `header at byte ${offset}`;
  const stored = octal(block, 148, 8);
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : (block[i] as number);
  if (stored !== sum) throw refusal(archive, where, `the checksum ${sum}`, String(stored));
  const isUstar = text(block, 257, 5) === 'ustar';
  const prefix = isUstar ? text(block, 345, 155) : '';
  const name = prefix === '' ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`;
  const size = octal(block, 124, 12);
  if (size === undefined) throw refusal(archive, where, 'a size in octal digits', 'something else');
  const flag = String.fromCharCode(block[156] as number);
  const type = flag === '0' || flag === '\0' ? 'file' : 'other';
  if (type === 'other' && !'5xg'.includes(flag)) {
    const kind = { 1: 'a hard link', 2: 'a symbolic link' }[flag] ?? `type ${JSON.stringify(flag)}`;
    throw refusal(archive, `entry ${JSON.stringify(name)}`, 'a regular file or a folder', kind);
  }
  const clean = cleanName(archive, name);
  if (clean === '' && type === 'file') {
    throw refusal(archive, 'entry', 'a file to have a name', JSON.stringify(name));
  }
  return { name: clean, size: flag === '5' ? 0 : size, type };
}

/** The name without `.` and empty parts; throws FormatError where it would lead out of the folder. */
function cleanName(archive: string, name: string): string {
  const parts = name.split('/');
  const safe =
    name !== '' &&
    parts[0] !== '' &&
    !parts.includes('..') &&
    !/[\\:\0]/.test(name) &&
    !name.includes('\ufffd');
  if (!safe) {
    throw refusal(archive, 'entry', 'a relative name without .., backslash or colon', JSON.stringify(name));
  }
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** Bytes up to the first zero, as UTF-8. */
function text(block: Uint8Array, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, padded by spaces or zero bytes; undefined for anything else. */
function octal(block: Uint8Array, start: number, length: number): number | undefined {
  const digits = text(block, start, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

interface BlockReader {
  /** Bytes taken so far. */
  readonly position: number;
  /** Exactly `count` bytes. */
  take(count: number): Promise<Uint8Array>;
  /** Between 1 and `count` bytes, without copying. */
  takeSome(count: number): Promise<Uint8Array>;
}

function blockReader(archive: string, stream: AsyncIterable<Buffer>, maxBytes: number): BlockReader {
  const chunks = stream[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let position = 0;
  async function takeSome(count: number): Promise<Uint8Array> {
    while (chunk.length === 0) {
      const next = await chunks.next().catch((error: Error) => {
        throw refusal(archive, 'compression', 'a readable, whole gzip stream', error.message, error);
      });
      if (next.done)
        throw refusal(archive, 'length', 'two blocks of zeros at the end', `the end at byte ${position}`);
      chunk = next.value;
    }
    const piece = chunk.subarray(0, count);
    chunk = chunk.subarray(piece.length);
    position += piece.length;
    if (position > maxBytes) throw refusal(archive, 'size', `at most ${maxBytes} bytes unpacked`, 'more');
    return piece;
  }
  return {
    get position() {
      return position;
    },
    takeSome,
    async take(count) {
      const bytes = new Uint8Array(count);
      for (let filled = 0; filled < count; ) {
        const piece = await takeSome(count - filled);
        bytes.set(piece, filled);
        filled += piece.length;
      }
      return bytes;
    },
  };
}

async function* bodyOf(reader: BlockReader, size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; ) {
    const piece = await reader.takeSome(left);
    left -= piece.length;
    yield piece;
  }
}

function refusal(
  archive: string,
  argument: string,
  expected: string,
  received: string,
  cause?: unknown,
): FormatError {
  const details: ErrorDetails = {
    operation: 'untar',
    argument: `${archive}, ${argument}`,
    expected,
    received,
  };
  return new FormatError(details, cause === undefined ? undefined : { cause });
}
