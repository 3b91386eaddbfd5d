/** Model files as parts that can be changed and put together again, with a right checksum or without one. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { FileSystem } from '../../../src/index.ts';
import { volatileFiles } from '../../../test/helpers/volatile-files.ts';

/** A header as JSON, its metadata apart, without the checksum. */
export interface ModelParts {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array;
}

const ZEROS = '0'.repeat(64);

/** Takes a file that Faltung wrote apart. */
export function partsOf(file: Uint8Array): ModelParts {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const { __metadata__: metadata, ...tensors } = header;
  delete metadata.sha256;
  return { metadata, tensors, data: file.subarray(8 + length) };
}

/** The header's text with one of its members replaced by text, which need not be JSON. */
export function headerText(
  parts: ModelParts,
  replace: Readonly<Record<string, string>> = {},
  signed = false,
): string {
  const texts = { ...(signed && { sha256: ZEROS }), ...parts.metadata, ...replace };
  const members = Object.entries(texts).map(
    ([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`,
  );
  const entries = Object.entries(parts.tensors).map(
    ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`,
  );
  return `{${[`"__metadata__":{${members}}`, ...entries]}}`;
}

/** [length | header | data]; where the header has a checksum of zeros, it is filled in. */
export function fileOf(header: string, data: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  const at = header.indexOf(`"sha256":"${ZEROS}"`);
  if (at < 0) return file;
  const digits = new TextEncoder().encode(createHash('sha256').update(file).digest('hex'));
  file.set(digits, 8 + new TextEncoder().encode(header.slice(0, at)).length + '"sha256":"'.length);
  return file;
}

/** A disk in memory that holds these files. */
export function diskOf(contents: Readonly<Record<string, Uint8Array>>): FileSystem {
  const folders = new Map<string, Map<string, { content: Uint8Array; flushed: Uint8Array }>>();
  for (const [name, content] of Object.entries(contents)) {
    const folder = path.dirname(name);
    if (!folders.has(folder)) folders.set(folder, new Map());
    folders.get(folder)!.set(path.basename(name), { content, flushed: content });
  }
  return volatileFiles(folders).files;
}
