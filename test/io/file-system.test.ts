import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { localFiles } from '../../src/io/file-system.ts';
import { randomIntegers } from '../helpers/arbitraries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const BYTES = Uint8Array.from(randomIntegers(21, 10_007, 127), (value) => value + 127);

/** Makes the system read and write at most `most` bytes at once, which it may do at any time. */
async function cutShort(t: TestContext, file: string, most: number): Promise<() => number> {
  const handle = await open(file);
  const methods: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  let calls = 0;
  for (const name of ['read', 'write'] as const) {
    const whole = methods[name] as (...args: unknown[]) => Promise<unknown>;
    t.mock.method(methods, name, function (
      this: FileHandle,
      bytes: unknown,
      offset: number,
      length: number,
      position: number,
    ) {
      calls++;
      return whole.call(this, bytes, offset, Math.min(length, most), position);
    } as never);
  }
  return () => calls;
}

test('reads and writes that the system cuts short go on where they stopped', async (t) => {
  const folder = temporaryFolder();
  const [source, copy] = [path.join(folder, 'source'), path.join(folder, 'copy')];
  writeFileSync(source, BYTES);
  const calls = await cutShort(t, source, 1000);
  const from = await localFiles.open(source);
  const into = new Uint8Array(9000);
  assert.equal(await from.read(into, 500), 9000);
  assert.deepEqual(into, BYTES.slice(500, 9500));
  assert.equal(await from.read(into, 5000), 5007, 'up to the end of the file');
  assert.deepEqual(into.slice(0, 5007), BYTES.slice(5000));
  await from.close();
  const to = await localFiles.create(copy);
  await to.write(BYTES, 0);
  await to.close();
  assert.deepEqual(new Uint8Array(readFileSync(copy)), BYTES);
  assert.equal(calls(), 9 + 7 + 11, 'pieces of 1,000 bytes, and the look beyond the end');
});
