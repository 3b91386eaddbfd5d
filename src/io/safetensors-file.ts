/**
 * Safetensors files with a checksum: written atomically, read in blocks, so that neither takes memory beside the
 * tensors themselves. `__metadata__` has `sha256`: the SHA-256 of the whole file with this value's 64 digits as zeros.
 * Other readers need not know of it; it notices a changed bit wherever it lies, the header included.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { ConfigError, FormatError } from '../errors.ts';
import { attempt, removeLeftovers, writeAtomically } from './atomic-write.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import {
  headerLength,
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.ts';

/** A tensor of f32 by its name in a file. `data` may lie in shared memory. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const BLOCK_BYTES = 1 << 20;
/** The header is padded so that the data begin at a multiple of it. */
const ALIGNMENT = 64;
const DIGITS = 64;
/** How a header begins; the checksum's digits follow. */
const OPENING = '{"__metadata__":{"sha256":"';

/**
 * Writes tensors and texts as one file, whole or not at all. Throws FileError, and ConfigError for two tensors of one
 * name or a header beyond the format's limit.
 */
export async function writeSafetensors(
  operation: string,
  file: string,
  metadata: ReadonlyMap<string, string>,
  tensors: readonly NamedTensor[],
  files?: FileSystem,
): Promise<void> {
  const header = encodeHeader(operation, metadata, tensors);
  const hash = createHash('sha256').update(header);
  const block = new Uint8Array(BLOCK_BYTES);
  for (const { data } of tensors) for (const part of blocksOf(data, block)) hash.update(part);
  header.set(new TextEncoder().encode(hash.digest('hex')), LENGTH_BYTES + OPENING.length);
  await writeAtomically(
    operation,
    file,
    async (target) => {
      let position = 0;
      const put = async (bytes: Uint8Array) => {
        const at = position;
        const what = `to write ${bytes.length} bytes at byte ${at} of it`;
        await attempt(operation, file, what, () => target.write(bytes, at));
        position += bytes.length;
      };
      await put(header);
      for (const { data } of tensors) for (const part of blocksOf(data, block)) await put(part);
    },
    files,
  );
}

/** `writeSafetensors` after what killed processes have left of this file is removed. */
export async function replaceSafetensors(...args: Parameters<typeof writeSafetensors>): Promise<void> {
  const [operation, file, , , files] = args;
  await removeLeftovers(operation, path.dirname(file), (name) => name === path.basename(file), files);
  await writeSafetensors(...args);
}

/** Reads the header of an open file. Throws FormatError with the byte at fault. */
export async function readHeader(
  operation: string,
  name: string,
  file: OpenFile,
  limit: number = MAX_HEADER_BYTES,
): Promise<SafetensorsHeader> {
  const fileBytes = await attempt(operation, name, 'to find its size', () => file.size());
  const first = new Uint8Array(LENGTH_BYTES);
  await readExactly(operation, name, file, first.subarray(0, Math.min(LENGTH_BYTES, fileBytes)), 0);
  const header = new Uint8Array(headerLength(first, fileBytes, operation, limit));
  await readExactly(operation, name, file, header, LENGTH_BYTES);
  return parseHeader(header, fileBytes, operation);
}

/** Reads a tensor of f32 into `data`, which has as many elements. */
export async function readTensorInto(
  operation: string,
  name: string,
  file: OpenFile,
  entry: TensorEntry,
  data: Float32Array,
): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const block = new Uint8Array(Math.min(BLOCK_BYTES, bytes.length));
  for (let at = 0; at < bytes.length; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, bytes.length - at));
    await readExactly(operation, name, file, part, entry.begin + at);
    bytes.set(part, at);
  }
}

/**
 * Throws FormatError unless the file is what its checksum says. Without a checksum in it nothing is checked, unless
 * one is `required`.
 */
export async function verifyChecksum(
  operation: string,
  name: string,
  file: OpenFile,
  header: SafetensorsHeader,
  required = false,
): Promise<void> {
  const stored = header.metadata.get('sha256');
  if (stored === undefined && !required) return;
  if (stored === undefined || !/^[0-9a-f]{64}$/.test(stored.text)) {
    throw new FormatError({
      operation,
      argument: stored === undefined ? name : `byte ${stored.at}`,
      expected: 'a sha256 of 64 hexadecimal digits',
      received: JSON.stringify(stored?.text ?? 'none'),
    });
  }
  const fileBytes = await attempt(operation, name, 'to find its size', () => file.size());
  const hash = createHash('sha256');
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < fileBytes; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, fileBytes - at));
    await readExactly(operation, name, file, part, at);
    const from = Math.max(0, stored.at - at);
    if (from < part.length && stored.at + DIGITS > at) part.fill(0x30, from, stored.at + DIGITS - at);
    hash.update(part);
  }
  const found = hash.digest('hex');
  if (found === stored.text) return;
  throw new FormatError({
    operation,
    argument: name,
    expected: `the content that was written, of SHA-256 ${stored.text}`,
    received: found,
    hint: 'the file is damaged or was changed',
  });
}

async function readExactly(
  operation: string,
  name: string,
  file: OpenFile,
  into: Uint8Array,
  position: number,
): Promise<void> {
  const what = `to read ${into.length} bytes at byte ${position} of it`;
  const found = await attempt(operation, name, what, () => file.read(into, position));
  if (found === into.length) return;
  throw new FormatError({
    operation,
    argument: `byte ${position + found}`,
    expected: `${into.length - found} more bytes`,
    received: 'the end: the file became shorter while it was read',
  });
}

/** The bytes of a tensor, a copy of each block in `block`: what lies in shared memory cannot change while it is used. */
function* blocksOf(data: Float32Array, block: Uint8Array): Generator<Uint8Array> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, bytes.length - at));
    part.set(bytes.subarray(at, at + part.length));
    yield part;
  }
}

/** Length and header, its checksum still zeros. */
function encodeHeader(
  operation: string,
  metadata: ReadonlyMap<string, string>,
  tensors: readonly NamedTensor[],
): Uint8Array {
  const texts = Array.from(metadata, ([key, text]) => `,${JSON.stringify(key)}:${JSON.stringify(text)}`);
  const names = new Set<string>();
  let offset = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    if (names.has(name)) throw twice(operation, name);
    names.add(name);
    const begin = offset;
    offset += data.byteLength;
    return `${JSON.stringify(name)}:{"dtype":"F32","shape":[${shape}],"data_offsets":[${begin},${offset}]}`;
  });
  const opening = `${OPENING}${'0'.repeat(DIGITS)}"${texts.join('')}}`;
  const text = `${[opening, ...entries].join(',')}}`;
  const json = new TextEncoder().encode(text);
  const length = Math.ceil((LENGTH_BYTES + json.length) / ALIGNMENT) * ALIGNMENT - LENGTH_BYTES;
  if (length > MAX_HEADER_BYTES) throw tooLong(operation, length);
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

function twice(operation: string, name: string): ConfigError {
  return new ConfigError({
    operation,
    argument: name,
    expected: 'each tensor of a file to have a name of its own',
    received: 'this one twice',
  });
}

function tooLong(operation: string, length: number): ConfigError {
  return new ConfigError({
    operation,
    argument: 'header',
    expected: `at most ${MAX_HEADER_BYTES} bytes of names, shapes and architecture`,
    received: String(length),
  });
}
