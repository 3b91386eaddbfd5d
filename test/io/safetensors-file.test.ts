import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { localFiles } from '../../src/io/file-system.ts';
import { readHeader, verifyChecksum } from '../../src/io/safetensors-file.ts';
import { randomIntegers } from '../helpers/arbitraries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** Bytes that are read at once. */
const BLOCK = 2 ** 20;

/** A file of another writer, whose checksum begins at byte `at`: 64 zeros while the hash is made. */
function fileWithChecksumAt(at: number, dataBytes: number): Buffer {
  const head = '{"__metadata__":{"comment":"';
  const middle = '","sha256":"';
  const filler = 'x'.repeat(at - 8 - head.length - middle.length);
  const tensor = `"a":{"dtype":"U8","shape":[${dataBytes}],"data_offsets":[0,${dataBytes}]}`;
  const header = `${head}${filler}${middle}${'0'.repeat(64)}"},${tensor}}`;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.from(randomIntegers(at, dataBytes, 127).map((x) => x + 127));
  const file = Buffer.concat([length, Buffer.from(header), data]);
  file.write(createHash('sha256').update(file).digest('hex'), at);
  return file;
}

test('a checksum may stand anywhere in the header, across two blocks too, and covers all blocks', async () => {
  const file = path.join(temporaryFolder(), 'model.safetensors');
  const verify = async (content: Buffer) => {
    writeFileSync(file, content);
    const opened = await localFiles.open(file);
    try {
      await verifyChecksum('load', file, opened, await readHeader('load', file, opened), true);
    } finally {
      await opened.close();
    }
  };
  const places = [100, BLOCK - 64, BLOCK - 63, BLOCK - 20, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 7];
  for (const at of places) {
    const content = fileWithChecksumAt(at, 2 * BLOCK + 77);
    await verify(content);
    // In the comment, and in blocks before and after the checksum's.
    for (const byte of [40, content.length - BLOCK, content.length - 1]) {
      const changed = Buffer.from(content);
      changed[byte]! ^= 1;
      await assert.rejects(verify(changed), { name: 'FormatError' }, `byte ${byte}, checksum at ${at}`);
    }
  }
  // As many bytes as whole blocks.
  const whole = fileWithChecksumAt(100, 1);
  await verify(fileWithChecksumAt(100, 2 * BLOCK + 1 - whole.length));
});
