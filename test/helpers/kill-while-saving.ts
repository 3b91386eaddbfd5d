/** kill -9 at a random moment of a process that saves without end; then nothing that it acknowledged may be missing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpointFolder, writeCheckpoint } from '../../src/io/checkpoint-folder.ts';
import { localFiles } from '../../src/io/file-system.ts';
import { readHeader, replaceSafetensors, verifyChecksum } from '../../src/io/safetensors-file.ts';
import { metadataOf, newestStep, tensorsOf } from './saved-steps.ts';
import { randomFrom } from './twin.ts';

const SAVER = fileURLToPath(new URL('saver.ts', import.meta.url));
/** A process that is no more: no system gives such a number. */
const NOBODY = 2 ** 30;
const FIRST_STEP = 3;

/** What a kill met. */
export interface Killed {
  /** Steps that were acknowledged. */
  readonly acknowledged: number;
  /** Whether a file was left half written. */
  readonly interrupted: boolean;
}

/** One kill in a new folder, at a moment that `seed` chooses. Fails where something is lost, damaged or left over. */
export async function killWhileSaving(parent: string, seed: number): Promise<Killed> {
  const random = randomFrom(seed);
  const folder = path.join(parent, `run-${seed}`);
  mkdirSync(folder);
  try {
    for (const step of [1, 2])
      await writeCheckpoint('save', folder, step, metadataOf(step), tensorsOf(step, 64));
    const left = path.join(folder, `checkpoint-00000009.safetensors.${NOBODY}.1.tmp`);
    writeFileSync(left, 'half of a file');
    // From 1 kB to 2 MB: kills fall between files as well as into them.
    const elements = 2 ** Math.floor(8 + 12 * random());
    const last = await runAndKill(folder, elements, 60 * random() ** 2, path.join(parent, 'compiled'));
    const before = readdirSync(folder);
    assert.ok(!before.includes(path.basename(left)), 'a leftover is removed at the start');
    const interrupted = before.some((name) => name.endsWith('.tmp'));
    await checkFolder(folder, last);
    // The next process finds nothing in its way, goes on, and leaves no litter.
    await openCheckpointFolder('save', folder);
    const found = await newestStep(folder);
    await writeCheckpoint('save', folder, found + 1, metadataOf(found + 1), tensorsOf(found + 1, elements));
    const tensors = tensorsOf(found + 1, elements);
    await replaceSafetensors('save', path.join(folder, 'model.safetensors'), metadataOf(found + 1), tensors);
    const names = readdirSync(folder);
    assert.equal(names.length, 3, `two checkpoints and a model: ${names.join(', ')}`);
    assert.equal(await newestStep(folder), found + 1);
    return { acknowledged: last - FIRST_STEP + 1, interrupted };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last step that the process acknowledged before it was killed; the step before its first if none. */
async function runAndKill(
  folder: string,
  elements: number,
  delayMs: number,
  compiled: string,
): Promise<number> {
  const args = [SAVER, folder, String(FIRST_STEP), String(elements)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
  });
  let [stdout, stderr] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      if (stdout.includes('\n')) resolve();
    });
  });
  const closed = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, signal) => resolve(signal));
  });
  await Promise.race([ready, closed]);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  child.kill('SIGKILL');
  assert.equal(await closed, 'SIGKILL', `it ended by itself: ${stderr}`);
  // The last line may be cut off.
  const steps = stdout.split('\n').slice(1, -1);
  return steps.length === 0 ? FIRST_STEP - 1 : Number(steps.at(-1));
}

async function checkFolder(folder: string, last: number): Promise<void> {
  const found = await newestStep(folder);
  assert.ok(found === last || found === last + 1, `acknowledged ${last}, found ${found}`);
  if (last < FIRST_STEP) return;
  const model = path.join(folder, 'model.safetensors');
  const file = await localFiles.open(model);
  try {
    const header = await readHeader('read', model, file);
    await verifyChecksum('read', model, file, header, true);
    const step = Number(header.metadata.get('step')!.text);
    assert.ok(step === last || step === last + 1, `acknowledged ${last}, the model is of ${step}`);
  } finally {
    await file.close();
  }
}
