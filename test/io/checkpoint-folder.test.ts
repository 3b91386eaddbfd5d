import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { faults } from '../../scripts/soak/faults.ts';
import { kill } from '../../scripts/soak/kill.ts';
import { listCheckpoints, withNewestCheckpoint, writeCheckpoint } from '../../src/io/checkpoint-folder.ts';
import { localFiles } from '../../src/io/file-system.ts';
import { metadataOf, newestStep, tensorsOf } from '../helpers/saved-steps.ts';
import { soakBriefly } from '../helpers/soak.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('50 kills while saving lose nothing that was acknowledged', (t) => soakBriefly(t, kill, 50));

test('400 failing operations and power losses lose nothing that was acknowledged', (t) =>
  soakBriefly(t, faults, 400));

test('checkpoints are found by their step, the newest first; whatever else lies there is left alone', async () => {
  const folder = temporaryFolder();
  const strangers = [
    'checkpoint-1.safetensors',
    'checkpoint-00000001.safetensors.bak',
    'notes',
    'model.safetensors',
  ];
  for (const name of strangers) writeFileSync(path.join(folder, name), '');
  mkdirSync(path.join(folder, 'old'));
  for (const step of [3, 20, 100_000_000, 100]) {
    await writeCheckpoint('save', folder, step, metadataOf(step), tensorsOf(step, 8));
  }
  const found = await listCheckpoints('read', folder);
  // Of the last one, written after a later step, two older ones are kept apart from it.
  assert.deepEqual(
    found.map(({ step }) => step),
    [100_000_000, 100, 20],
  );
  for (const name of [...strangers, 'old']) assert.ok(readdirSync(folder).includes(name), name);
  assert.deepEqual(await listCheckpoints('read', path.join(folder, 'none')), []);
});

test('a disk that fails to read the newest one counts as damage; a closed one does not', async () => {
  for (const [code, expected] of [
    ['EIO', 1],
    ['EACCES', 'refused'],
  ] as const) {
    const folder = temporaryFolder();
    for (const step of [1, 2])
      await writeCheckpoint('save', folder, step, metadataOf(step), tensorsOf(step, 8));
    const files = {
      ...localFiles,
      async open(file: string) {
        const opened = await localFiles.open(file);
        const broken = async () => {
          throw Object.assign(new Error(`${code}: of this file`), { code });
        };
        return file.includes('00000002') ? { ...opened, read: broken } : opened;
      },
    };
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const found = withNewestCheckpoint('read', folder, warn, async ({ step }) => step, files);
    if (expected === 'refused') {
      await assert.rejects(found, /EACCES: of this file/);
      assert.equal(await newestStep(folder), 2, 'it is still there');
    } else {
      assert.equal(await found, expected);
      assert.match(warnings[0]!, /put aside as .*00000002\.safetensors\.damaged: .*EIO/);
      assert.equal(await newestStep(folder), 1);
    }
  }
});
