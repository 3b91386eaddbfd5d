/**
 * The checkpoints of one run in one folder: checkpoint-STEP.safetensors, STEP counting the run's steps. The newest two
 * are kept. One that is damaged is put aside (.damaged), and the one before it takes its place.
 */
import path from 'node:path';
import { FileError, FormatError } from '../errors.ts';
import { attempt, closing, ensureFolder, removeLeftovers } from './atomic-write.ts';
import { type FileSystem, localFiles, type OpenFile } from './file-system.ts';
import { type NamedTensor, readHeader, verifyChecksum, writeSafetensors } from './safetensors-file.ts';
import { MAX_MODEL_HEADER_BYTES, type SafetensorsHeader } from './safetensors-header.ts';

/** How many are kept. */
const KEPT = 2;
const NAME = /^checkpoint-(\d{8,15})\.safetensors$/;

/** A checkpoint in a folder. */
export interface CheckpointFile {
  readonly file: string;
  readonly step: number;
}

/** A checkpoint whose checksum was found right. */
export interface OpenCheckpoint extends CheckpointFile {
  readonly opened: OpenFile;
  readonly header: SafetensorsHeader;
}

/** The checkpoints of a folder, the newest first; none where there is no folder. Throws FileError. */
export async function listCheckpoints(
  operation: string,
  folder: string,
  files: FileSystem = localFiles,
): Promise<CheckpointFile[]> {
  const names = await attempt(operation, folder, 'to list the folder', async () => {
    try {
      return await files.list(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
  const found = names.flatMap((name) => {
    const step = NAME.exec(name)?.[1];
    return step === undefined ? [] : [{ file: path.join(folder, name), step: Number(step) }];
  });
  return found.sort((a, b) => b.step - a.step);
}

/** Makes the folder and removes what killed processes have left unfinished in it. Throws FileError. */
export async function openCheckpointFolder(
  operation: string,
  folder: string,
  files: FileSystem = localFiles,
): Promise<void> {
  await ensureFolder(operation, folder, files);
  await removeLeftovers(operation, folder, (name) => NAME.test(name), files);
}

/**
 * Writes a checkpoint; when it returns, the checkpoint is on the disk and the newest but one is, too; older ones are
 * removed. Throws FileError that says what failed and where: the checkpoints that were there are still there.
 */
export async function writeCheckpoint(
  operation: string,
  folder: string,
  step: number,
  metadata: ReadonlyMap<string, string>,
  tensors: readonly NamedTensor[],
  files: FileSystem = localFiles,
): Promise<string> {
  const file = path.join(folder, `checkpoint-${String(step).padStart(8, '0')}.safetensors`);
  await writeSafetensors(operation, file, metadata, tensors, files);
  await removeOldCheckpoints(operation, folder, step, files);
  return file;
}

/** Keeps that of `step`, which is whole, the one before it, and later ones. Throws FileError. */
export async function removeOldCheckpoints(
  operation: string,
  folder: string,
  step: number,
  files: FileSystem = localFiles,
): Promise<void> {
  const found = (await listCheckpoints(operation, folder, files)).filter((each) => each.step <= step);
  for (const old of found.slice(KEPT)) {
    await attempt(operation, old.file, 'to remove this old checkpoint', () => files.remove(old.file));
  }
}

/**
 * Hands the newest checkpoint that is whole to `body`. A damaged one is put aside, `warn` is told, and the one before
 * is tried. Returns undefined where the folder has none; throws FormatError where all are damaged, FileError where one
 * cannot be read for another reason than the disk's failing.
 */
export async function withNewestCheckpoint<T>(
  operation: string,
  folder: string,
  warn: (message: string) => void,
  body: (checkpoint: OpenCheckpoint) => Promise<T>,
  files: FileSystem = localFiles,
): Promise<T | undefined> {
  const found = await listCheckpoints(operation, folder, files);
  const damages: string[] = [];
  for (const checkpoint of found) {
    const tried = await tryCheckpoint(operation, checkpoint, body, files);
    if ('result' in tried) return tried.result;
    damages.push(tried.damage.message);
    const aside = `${checkpoint.file}.damaged`;
    await attempt(operation, checkpoint.file, `to rename it to ${path.basename(aside)}`, () =>
      files.rename(checkpoint.file, aside),
    );
    warn(`A checkpoint is damaged and was put aside as ${aside}: ${tried.damage.message}`);
  }
  if (damages.length === 0) return undefined;
  throw new FormatError({
    operation,
    argument: folder,
    expected: 'at least one checkpoint that is whole',
    received: `${damages.length} damaged: ${damages.join('; ')}`,
    hint: 'start the run anew',
  });
}

type Tried<T> = { readonly result: T } | { readonly damage: FormatError | FileError };

/** What `body` makes of a checkpoint, or how the file is damaged. */
async function tryCheckpoint<T>(
  operation: string,
  { file, step }: CheckpointFile,
  body: (checkpoint: OpenCheckpoint) => Promise<T>,
  files: FileSystem,
): Promise<Tried<T>> {
  const opened = await attempt(operation, file, 'to open it', () => files.open(file));
  return closing(operation, file, opened, async () => {
    let header: SafetensorsHeader;
    try {
      header = await readHeader(operation, file, opened, MAX_MODEL_HEADER_BYTES);
      await verifyChecksum(operation, file, opened, header, true);
    } catch (error) {
      if (isDamage(error)) return { damage: error };
      throw error;
    }
    return { result: await body({ file, step, opened, header }) };
  });
}

function isDamage(error: unknown): error is FormatError | FileError {
  if (error instanceof FormatError) return true;
  return error instanceof FileError && (error.cause as NodeJS.ErrnoException).code === 'EIO';
}
