/**
 * The safetensors layout: [header length, u64 little-endian | header, JSON, padded with spaces | data].
 * The header maps names to {dtype, shape, data_offsets: [begin, end]}, offsets counted from the start of the data, and
 * `__metadata__` to strings by name. Tensors lie row-major, little-endian, without gap or overlap, to the file's end.
 * Everything else is refused with the byte at fault. Source: the format's own description, huggingface/safetensors.
 */
import {
  expectEnd,
  type JsonCursor,
  jsonCursor,
  peek,
  readArray,
  readObject,
  readString,
  readUnsigned,
  refuse,
} from './json-cursor.ts';

/** Bytes an element. Types of less than a byte are not read. */
export const DTYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ...(['BOOL', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0'] as const).map((type) => [type, 1] as const),
  ...(['I16', 'U16', 'F16', 'BF16'] as const).map((type) => [type, 2] as const),
  ...(['I32', 'U32', 'F32'] as const).map((type) => [type, 4] as const),
  ...(['I64', 'U64', 'F64', 'C64'] as const).map((type) => [type, 8] as const),
]);

/** The format's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Ours, far more than a model of thousands of layers needs; what is longer is refused before it is read. */
export const MAX_MODEL_HEADER_BYTES = 4 * 2 ** 20;
/** Bytes of the header's length. */
export const LENGTH_BYTES = 8;

/** A tensor in a file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes of the file: [begin, end). */
  readonly begin: number;
  readonly end: number;
}

/** A text of `__metadata__`, and the byte of the file where it begins, after its quote. */
export interface MetadataEntry {
  readonly text: string;
  readonly at: number;
}

/** What a header says. Maps, so that no name can be anything but a name. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, MetadataEntry>;
  /** In the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** First byte of the data. */
  readonly dataStart: number;
}

interface ParsedTensor extends TensorEntry {
  /** Byte of the header where the entry stands. */
  readonly at: number;
}

/** The header's length from a file's first bytes. Throws FormatError where it cannot be one. */
export function headerLength(
  first: Uint8Array,
  fileBytes: number,
  operation: string,
  limit: number = MAX_HEADER_BYTES,
): number {
  const cursor = jsonCursor(first, operation);
  if (fileBytes < LENGTH_BYTES + 2) {
    refuse(cursor, 0, 'a safetensors file: at least 10 bytes', `${fileBytes} bytes in all`);
  }
  const view = new DataView(first.buffer, first.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  const most = Math.min(limit, fileBytes - LENGTH_BYTES);
  if (length < 2n || length > BigInt(most)) {
    const expected = `a header length of 2 to ${most}`;
    refuse(cursor, 0, expected, `${length} in a file of ${fileBytes} bytes`);
  }
  return Number(length);
}

/** Reads a header that stands after its length in a file of `fileBytes`. Throws FormatError with the byte. */
export function parseHeader(header: Uint8Array, fileBytes: number, operation: string): SafetensorsHeader {
  const cursor = jsonCursor(header, operation, 'byte', LENGTH_BYTES);
  if (header[0] !== 0x7b) refuse(cursor, 0, "'{'");
  const dataStart = LENGTH_BYTES + header.length;
  const metadata = new Map<string, MetadataEntry>();
  const tensors: ParsedTensor[] = [];
  readObject(cursor, (name, at) => {
    if (name === '__metadata__') readMetadata(cursor, metadata);
    else tensors.push(readTensor(cursor, name, at, dataStart));
  });
  expectEnd(cursor);
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.begin !== end) {
      refuseOffsets(cursor, tensor, `data from ${end - dataStart} on, without gap or overlap`, dataStart);
    }
    end = tensor.end;
  }
  if (end !== fileBytes) {
    refuse(cursor, Math.min(end, fileBytes) - LENGTH_BYTES, `a file of ${end} bytes`, `${fileBytes} bytes`);
  }
  return {
    metadata,
    tensors: new Map(tensors.map(({ at: _, ...tensor }) => [tensor.name, tensor])),
    dataStart,
  };
}

function readMetadata(cursor: JsonCursor, into: Map<string, MetadataEntry>): void {
  readObject(cursor, (key) => {
    peek(cursor);
    const at = LENGTH_BYTES + cursor.at + 1;
    into.set(key, { text: readString(cursor), at });
  });
}

function readTensor(cursor: JsonCursor, name: string, at: number, dataStart: number): ParsedTensor {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  readObject(cursor, (key, keyAt) => {
    if (key === 'dtype') {
      dtype = readString(cursor);
      if (!DTYPE_BYTES.has(dtype)) {
        refuse(cursor, keyAt, `a dtype of ${[...DTYPE_BYTES.keys()]}`, JSON.stringify(dtype));
      }
    } else if (key === 'shape') {
      shape = readNumbers(cursor, 'an extent from 0 to 2^53-1');
    } else if (key === 'data_offsets') {
      offsets = readNumbers(cursor, 'an offset from 0 to 2^53-1');
    } else refuse(cursor, keyAt, 'dtype, shape or data_offsets', JSON.stringify(key));
  });
  if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
    const missing =
      dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets [begin, end]';
    refuse(cursor, at, `${missing} of ${JSON.stringify(name)}`, 'none');
  }
  const [begin, end] = offsets as [number, number];
  const tensor = { name, dtype, shape, begin: dataStart + begin, end: dataStart + end, at };
  const bytes = checkedProduct([...shape, DTYPE_BYTES.get(dtype)!]);
  if (bytes === undefined || end - begin !== bytes) {
    const size = bytes === undefined ? 'fewer than 2^53 bytes' : `data_offsets ${bytes} bytes apart`;
    refuseOffsets(cursor, tensor, `${size} for ${dtype} [${shape}]`, dataStart);
  }
  return tensor;
}

function readNumbers(cursor: JsonCursor, what: string): number[] {
  const numbers: number[] = [];
  readArray(cursor, () => numbers.push(readUnsigned(cursor, what)));
  return numbers;
}

/** The product of whole numbers, or undefined beyond 2^53 - 1: no step of it is ever rounded. */
export function checkedProduct(factors: readonly number[]): number | undefined {
  let product = 1;
  for (const factor of factors) {
    product *= factor;
    if (!Number.isSafeInteger(product)) return undefined;
  }
  return product;
}

function refuseOffsets(cursor: JsonCursor, tensor: ParsedTensor, expected: string, dataStart: number): never {
  const offsets = `[${tensor.begin - dataStart}, ${tensor.end - dataStart}]`;
  return refuse(cursor, tensor.at, expected, `${offsets} of ${JSON.stringify(tensor.name)}`);
}
