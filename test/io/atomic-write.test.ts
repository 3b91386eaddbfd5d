import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FileError } from '../../src/errors.ts';
import { ensureFolder, removeLeftovers, writeAtomically } from '../../src/io/atomic-write.ts';
import { localFiles, type OpenFile } from '../../src/io/file-system.ts';
import { failingFiles } from '../helpers/failing-files.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { randomFrom } from '../helpers/twin.ts';
import { PowerLoss, volatileFiles } from '../helpers/volatile-files.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const body = (text: string) => async (file: OpenFile) => {
  await file.write(bytes(text.slice(0, 3)), 0);
  await file.write(bytes(text.slice(3)), 3);
};

test('a file is written whole, an old one replaced, and nothing else is left', async () => {
  const file = path.join(temporaryFolder(), 'a.txt');
  await writeAtomically('save', file, body('first'));
  await writeAtomically('save', file, body('second one'));
  assert.equal(readFileSync(file, 'utf8'), 'second one');
  assert.deepEqual(readdirSync(path.dirname(file)), ['a.txt']);
});

test('an error of the body is thrown as it is; the old file stays, no temporary one does', async () => {
  const file = path.join(temporaryFolder(), 'a.txt');
  await writeAtomically('save', file, body('first'));
  const failed = writeAtomically('save', file, async (target) => {
    await target.write(bytes('half'), 0);
    throw new RangeError('mine');
  });
  await assert.rejects(failed, new RangeError('mine'));
  assert.equal(readFileSync(file, 'utf8'), 'first');
  assert.deepEqual(readdirSync(path.dirname(file)), ['a.txt']);
});

test('whichever operation fails, once or for good: FileError says what and where; old or new, no litter', async () => {
  const counted = failingFiles(localFiles);
  await writeAtomically('save', path.join(temporaryFolder(), 'a.txt'), body('second one'), counted.files);
  const operations = counted.operations();
  assert.equal(operations, 7, 'create, two writes, flush, close, rename, flush of the folder');
  const said = new Set<string>();
  for (const code of ['ENOSPC', 'EIO', 'EACCES'] as const) {
    for (const forGood of [false, true]) {
      for (let at = 0; at < operations; at++) {
        const file = path.join(temporaryFolder(), 'a.txt');
        await writeAtomically('save', file, body('first'));
        const { files } = failingFiles(localFiles, { at, code, forGood });
        const failed = writeAtomically('save', file, body('second one'), files);
        await assert.rejects(failed, (error) => {
          // The two writes are the body's own here, so that it throws what the operating system said.
          if (at === 1 || at === 2) return (error as NodeJS.ErrnoException).code === code;
          assert.ok(error instanceof FileError, String(error));
          assert.match(error.message, /^save: .*a\.txt|folder/);
          assert.match(error.details.received, new RegExp(code));
          assert.ok(error.details.hint, 'it says what to do');
          said.add(error.details.expected.replace(/ a\.txt.*tmp/, ''));
          return true;
        });
        const renamed: boolean = at === operations - 1;
        assert.equal(readFileSync(file, 'utf8'), renamed ? 'second one' : 'first');
        // Where everything fails, so does removing the temporary file.
        const litter: number = forGood && at > 0 && !renamed ? 2 : 1;
        assert.equal(readdirSync(path.dirname(file)).length, litter, `${code} at ${at}`);
      }
    }
  }
  assert.deepEqual(
    [...said],
    [
      'to create it',
      'to flush it to the disk',
      'to close it',
      'to rename to it',
      'to flush the folder to the disk',
    ],
  );
});

test('power lost at any operation leaves the old file or the new one, and the new one once it was acknowledged', async () => {
  const random = randomFrom(5);
  const coin = (sides: number) => Math.floor(sides * random());
  const outcomes = new Set<string>();
  for (let lossAt = 0; lossAt <= 8; lossAt++) {
    for (let repeat = 0; repeat < 40; repeat++) {
      const before = volatileFiles();
      await writeAtomically('save', '/a', body('first'), before.files);
      const disk = volatileFiles(await contentOf(before.restart(coin)), lossAt);
      let acknowledged = false;
      try {
        await writeAtomically('save', '/a', body('second one'), disk.files);
        acknowledged = true;
      } catch (error) {
        assert.ok((error as Error).cause instanceof PowerLoss || error instanceof PowerLoss);
      }
      const found = (await textOf(disk.restart(coin))) ?? 'nothing';
      outcomes.add(found);
      assert.ok(
        acknowledged ? found === 'second one' : ['first', 'second one'].includes(found),
        `${lossAt}: ${found}`,
      );
    }
  }
  assert.deepEqual([...outcomes].sort(), ['first', 'second one']);
});

test('the lost-power disk has power: without a flush of file or folder the file is lost', async () => {
  const random = randomFrom(6);
  const coin = (sides: number) => Math.floor(sides * random());
  for (const forgotten of ['sync', 'syncFolder'] as const) {
    const found = new Set<string>();
    for (let repeat = 0; repeat < 60; repeat++) {
      const disk = volatileFiles();
      const careless = {
        ...disk.files,
        async create(file: string) {
          const opened = await disk.files.create(file);
          return forgotten === 'sync' ? { ...opened, sync: async () => {} } : opened;
        },
        ...(forgotten === 'syncFolder' && { syncFolder: async () => {} }),
      };
      await writeAtomically('save', '/a', body('first'), careless);
      found.add((await textOf(disk.restart(coin))) ?? 'nothing');
    }
    assert.ok(found.has('first'));
    assert.ok(found.size > 1, forgotten);
    assert.ok(found.has(forgotten === 'sync' ? '' : 'nothing'));
  }
});

/** The folders of a disk as it is. */
async function contentOf(disk: ReturnType<typeof volatileFiles>) {
  const text = bytes((await textOf(disk))!);
  return new Map([['/', new Map([['a', { content: text, flushed: text }]])]]);
}

async function textOf({ files }: ReturnType<typeof volatileFiles>): Promise<string | undefined> {
  if (!(await files.list('/')).includes('a')) return undefined;
  const file = await files.open('/a');
  const content = new Uint8Array(await file.size());
  await file.read(content, 0);
  return new TextDecoder().decode(content);
}

test('leftovers of processes that have ended are removed, others and strangers’ files stay', async () => {
  const folder = temporaryFolder();
  const ended = spawnSync(process.execPath, ['--version']).pid;
  const stay = ['a', `a.${process.ppid}.1.tmp`, `b.${ended}.1.tmp`, 'a.tmp', 'a.x.1.tmp'];
  for (const name of [...stay, `a.${ended}.1.tmp`, `a.${process.pid}.99999.tmp`])
    writeFileSync(path.join(folder, name), '');
  await removeLeftovers('save', folder, (name) => name === 'a');
  assert.deepEqual(readdirSync(folder).sort(), [...stay].sort());
});

test('folders are made with those above them, each flushed into the one above', async () => {
  const folder = temporaryFolder();
  const synced: string[] = [];
  const files = {
    ...localFiles,
    async syncFolder(name: string) {
      synced.push(path.relative(folder, name));
      await localFiles.syncFolder(name);
    },
  };
  await ensureFolder('save', path.join(folder, 'a', 'b'), files);
  assert.ok(existsSync(path.join(folder, 'a', 'b')));
  assert.deepEqual(synced, ['', 'a']);
  await ensureFolder('save', path.join(folder, 'a', 'b'), files);
  assert.equal(synced.length, 2, 'nothing to do');
  writeFileSync(path.join(folder, 'file'), '');
  for (const name of ['file', 'file/a']) {
    await assert.rejects(ensureFolder('save', path.join(folder, name), files), /ENOTDIR/);
  }
  mkdirSync(path.join(folder, 'c'));
  await localFiles.makeFolder(path.join(folder, 'c'));
});
