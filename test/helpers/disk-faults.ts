/**
 * Faults below the checkpoints of a run, on a disk in memory: an operation that fails, once or for good, or power that
 * goes away. Whatever happens, the newest acknowledged checkpoint is there, whole, and nothing is left lying about.
 */
import assert from 'node:assert/strict';
import { FileError } from '../../src/errors.ts';
import { openCheckpointFolder, writeCheckpoint } from '../../src/io/checkpoint-folder.ts';
import { failingFiles } from './failing-files.ts';
import { metadataOf, newestStep, tensorsOf } from './saved-steps.ts';
import { type Random, randomFrom } from './twin.ts';
import { PowerLoss, type VolatileFiles, volatileFiles } from './volatile-files.ts';

const FOLDER = '/run';
const SAVES = 5;
const CODES = ['ENOSPC', 'EIO', 'EACCES'] as const;
/** Operations of five saves and more: some faults come too late. */
const OPERATIONS = 60;

/** What became of a trial. */
export interface Fault {
  readonly kind: 'failure' | 'power';
  /** Whether it struck before the last save was acknowledged. */
  readonly struck: boolean;
}

/** One fault that `seed` chooses. Fails where something is lost, damaged or left over. */
export async function faultWhileSaving(seed: number): Promise<Fault> {
  const random = randomFrom(seed);
  return random() < 0.5 ? failure(random) : powerLoss(random);
}

async function failure(random: Random): Promise<Fault> {
  const disk = await diskWithRun();
  const forGood = random() < 0.5;
  const code = CODES[Math.floor(3 * random())]!;
  const { files } = failingFiles(disk.files, { at: Math.floor(OPERATIONS * random()), code, forGood });
  let acknowledged = 1;
  try {
    await openCheckpointFolder('save', FOLDER, files);
    for (let step = 2; step <= 1 + SAVES; step++) {
      await writeCheckpoint('save', FOLDER, step, metadataOf(step), tensorsOf(step, 200), files);
      acknowledged = step;
    }
  } catch (error) {
    assert.ok(error instanceof FileError, String((error as Error).stack));
    assert.match(error.message, /^save: \/run.*: expected to /);
    assert.ok(error.details.received.startsWith(code));
    assert.ok(error.details.hint);
  }
  const names = await disk.files.list(FOLDER);
  // Where everything fails, removing the temporary file does, too.
  if (!forGood) assert.ok(!names.some((name) => name.endsWith('.tmp')), names.join(', '));
  await checkRun(disk, acknowledged);
  return { kind: 'failure', struck: acknowledged < 1 + SAVES };
}

async function powerLoss(random: Random): Promise<Fault> {
  const coin = (sides: number) => Math.floor(sides * random());
  const before = (await diskWithRun()).restart(coin);
  const disk = before.copy(Math.floor(OPERATIONS * random()));
  let acknowledged = 1;
  try {
    await openCheckpointFolder('save', FOLDER, disk.files);
    for (let step = 2; step <= 1 + SAVES; step++) {
      await writeCheckpoint('save', FOLDER, step, metadataOf(step), tensorsOf(step, 200), disk.files);
      acknowledged = step;
    }
  } catch (error) {
    assert.ok((error as Error).cause instanceof PowerLoss, String((error as Error).stack));
  }
  await checkRun(disk.restart(coin), acknowledged);
  return { kind: 'power', struck: acknowledged < 1 + SAVES };
}

/** A disk with the first checkpoint of a run. */
async function diskWithRun(): Promise<VolatileFiles> {
  const disk = volatileFiles();
  await openCheckpointFolder('save', FOLDER, disk.files);
  await writeCheckpoint('save', FOLDER, 1, metadataOf(1), tensorsOf(1, 200), disk.files);
  return disk;
}

/** Throws unless the run goes on from what was acknowledged, or from the save after it, and tidies up. */
async function checkRun({ files }: VolatileFiles, acknowledged: number): Promise<void> {
  await openCheckpointFolder('save', FOLDER, files);
  const found = await newestStep(FOLDER, files);
  assert.ok(
    found === acknowledged || found === acknowledged + 1,
    `acknowledged ${acknowledged}, found ${found}`,
  );
  const next = found + 1;
  await writeCheckpoint('save', FOLDER, next, metadataOf(next), tensorsOf(next, 200), files);
  assert.equal(await newestStep(FOLDER, files), next);
  const names = await files.list(FOLDER);
  assert.equal(names.length, 2, names.join(', '));
}
