/** Each file operation of a run with checkpoints fails in turn; then the run goes on as if nothing had been. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { FileError } from '../../src/index.ts';
import { localFiles } from '../../src/io/file-system.ts';
import { runOptions, train, trainUntil } from '../helpers/checkpoint-runs.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { type Failure, failingFiles } from '../helpers/failing-files.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 1 });
const CODES = ['ENOSPC', 'EIO', 'EACCES'] as const;
const uninterrupted = train(runOptions(engine));

const litter = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

/** Failure number `i` of the operation `at`: over two operations in turn, every code, once and for good. */
const failureAt = (at: number): Failure => ({ at, code: CODES[at % 3]!, forGood: at % 2 === 0 });

test('while saving: fit ends with FileError, the checkpoints stay whole, the run that goes on is the same', async () => {
  const checkpoint = { everySteps: 2 };
  const counted = failingFiles(localFiles);
  await train({
    ...runOptions(engine),
    checkpoint: { ...checkpoint, folder: temporaryFolder(), files: counted.files },
  });
  const operations = counted.operations();
  assert.ok(operations > 30);
  for (let at = 0; at < operations; at++) {
    const folder = temporaryFolder();
    const failure = failureAt(at);
    const { files } = failingFiles(localFiles, failure);
    await assert.rejects(
      train({ ...runOptions(engine), checkpoint: { ...checkpoint, folder, files } }),
      (error) => {
        assert.ok(error instanceof FileError, String((error as Error).stack));
        assert.match(error.message, new RegExp(`^fit, checkpoint: .*: expected to .*, got ${failure.code}`));
        assert.ok(error.message.includes(folder), 'it says where');
        return true;
      },
    );
    if (!failure.forGood) assert.deepEqual(litter(folder), []);
    const resumed = await train({
      ...runOptions(engine),
      checkpoint: { ...checkpoint, folder, resume: 'ifAny' },
    });
    assert.deepEqual(resumed, await uninterrupted, `operation ${at}`);
    assert.deepEqual(litter(folder), []);
    assert.equal(readdirSync(folder).length, 2);
  }
});

test('while resuming: an error, or the checkpoint before; later the run goes on the same', async (t) => {
  process.on('warning', () => {});
  const first = temporaryFolder();
  await trainUntil(4, { ...runOptions(engine), checkpoint: { folder: first } });
  const stopped = (): string => {
    const folder = temporaryFolder();
    cpSync(first, folder, { recursive: true });
    return folder;
  };
  const counted = failingFiles(localFiles);
  await train({
    ...runOptions(engine),
    checkpoint: { folder: stopped(), resume: true, files: counted.files },
  });
  let fellBack = 0;
  for (let at = 0; at < counted.operations(); at++) {
    // What a disk fails to read is damage, what is forbidden is not.
    for (const code of ['EIO', CODES[2 * (at % 2)]!] as const) {
      const folder = stopped();
      const { files } = failingFiles(localFiles, { at, code, forGood: false });
      try {
        const resumed = await train({ ...runOptions(engine), checkpoint: { folder, resume: true, files } });
        assert.deepEqual(resumed, await uninterrupted, `operation ${at}`);
        fellBack += 1;
      } catch (error) {
        assert.ok(error instanceof FileError, String((error as Error).stack));
      }
      const resumed = await train({ ...runOptions(engine), checkpoint: { folder, resume: true } });
      assert.deepEqual(resumed, await uninterrupted, `operation ${at}, ${code}`);
      assert.deepEqual(litter(folder), []);
    }
  }
  assert.ok(fellBack >= 4, 'the disk failed to read the newest one, which counts as damage');
  t.diagnostic(`${counted.operations()} operations, ${fellBack} times the one before was taken`);
});
