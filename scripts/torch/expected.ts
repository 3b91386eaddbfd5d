/** Reads what make.py wrote: tensors of a safetensors file, one at a time. */
import { type FileHandle, open } from 'node:fs/promises';
import { parseHeader } from '../../src/io/safetensors-header.ts';

export interface Expected {
  /** A tensor of floats. Throws for an unknown name. */
  read(name: string): Promise<{ shape: readonly number[]; data: Float32Array | Float64Array }>;
  /** Whole numbers of 32 bits. */
  readIntegers(name: string): Promise<Int32Array>;
  close(): Promise<void>;
}

/** Opens the file. */
export async function openExpected(file: string): Promise<Expected> {
  const handle = await open(file);
  const { size } = await handle.stat();
  const length = Number((await readBytes(handle, 0, 8)).readBigUInt64LE());
  const { tensors } = parseHeader(await readBytes(handle, 8, length), size, 'against:torch');
  const bytesOf = async (name: string, dtypes: readonly string[]) => {
    const entry = tensors.get(name);
    if (entry === undefined) throw new Error(`${file} has no tensor "${name}"`);
    if (!dtypes.includes(entry.dtype)) throw new Error(`tensor "${name}" of ${file} is ${entry.dtype}`);
    const bytes = await readBytes(handle, entry.begin, entry.end - entry.begin);
    const { buffer, byteOffset, byteLength } = bytes;
    return { entry, bytes: buffer.slice(byteOffset, byteOffset + byteLength) };
  };
  return {
    async read(name) {
      const { entry, bytes } = await bytesOf(name, ['F32', 'F64']);
      const data = entry.dtype === 'F32' ? new Float32Array(bytes) : new Float64Array(bytes);
      return { shape: entry.shape, data };
    },
    readIntegers: async (name) => new Int32Array((await bytesOf(name, ['I32'])).bytes),
    close: () => handle.close(),
  };
}

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await handle.read(bytes, 0, length, position);
  return bytes;
}
