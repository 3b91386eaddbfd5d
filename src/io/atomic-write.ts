/**
 * Writing a file whole or not at all: to a temporary name in the same folder, flushed, renamed, the folder flushed.
 * Whoever is killed or loses power on the way leaves the old file, or the new one, never a part of either.
 */
import path from 'node:path';
import { FileError } from '../errors.ts';
import { type FileSystem, localFiles, type OpenFile } from './file-system.ts';

/** `NAME.PID.NUMBER.tmp`: tells whose it is. */
const TEMPORARY = /\.(\d+)\.\d+\.tmp$/;

let lastNumber = 0;
/** Temporary files that this process is writing. */
const inUse = new Set<string>();

/**
 * Writes `file` by `body`. Returns when it is on the disk under its name. Throws FileError where the operating system
 * refuses, saying what and where, and what `body` throws; the temporary file is removed then.
 */
export async function writeAtomically(
  operation: string,
  file: string,
  body: (target: OpenFile) => Promise<void>,
  files: FileSystem = localFiles,
): Promise<void> {
  lastNumber += 1;
  const temporary = `${file}.${process.pid}.${lastNumber}.tmp`;
  const folder = path.dirname(file);
  inUse.add(temporary);
  try {
    const target = await attempt(operation, temporary, 'to create it', () => files.create(temporary));
    try {
      await closing(operation, temporary, target, async () => {
        await body(target);
        await attempt(operation, temporary, 'to flush it to the disk', () => target.sync());
      });
      await attempt(operation, file, `to rename ${path.basename(temporary)} to it`, () =>
        files.rename(temporary, file),
      );
    } catch (error) {
      await files.remove(temporary).catch(() => {});
      throw error;
    }
    await attempt(operation, folder, 'to flush the folder to the disk', () => files.syncFolder(folder));
  } finally {
    inUse.delete(temporary);
  }
}

/** Runs `body` and closes the file in any case; an error of `body` goes before one of closing. */
export async function closing<T>(
  operation: string,
  file: string,
  opened: OpenFile,
  body: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await body();
  } catch (error) {
    await opened.close().catch(() => {});
    throw error;
  }
  await attempt(operation, file, 'to close it', () => opened.close());
  return result;
}

/** `writeAtomically` after what killed processes have left of this file is removed. */
export async function replaceAtomically(...args: Parameters<typeof writeAtomically>): Promise<void> {
  const [operation, file, , files] = args;
  await removeLeftovers(operation, path.dirname(file), (name) => name === path.basename(file), files);
  await writeAtomically(...args);
}

/** Removes what processes that no longer run have left of files whose names match. */
export async function removeLeftovers(
  operation: string,
  folder: string,
  belongs: (name: string) => boolean,
  files: FileSystem = localFiles,
): Promise<void> {
  const names = await attempt(operation, folder, 'to list the folder', () => files.list(folder));
  for (const name of names) {
    const found = TEMPORARY.exec(name);
    if (found === null || !belongs(name.slice(0, found.index))) continue;
    const file = path.join(folder, name);
    if (inUse.has(file) || isOtherProcess(Number(found[1]))) continue;
    await attempt(operation, file, 'to remove this leftover', () => removeIfThere(files, file));
  }
}

/** Makes a folder and those above it, each on the disk before anything is put into it. */
export async function ensureFolder(
  operation: string,
  folder: string,
  files: FileSystem = localFiles,
): Promise<void> {
  const missing: string[] = [];
  for (let at = path.resolve(folder); !(await exists(operation, files, at)); at = path.dirname(at)) {
    missing.unshift(at);
    if (at === path.dirname(at)) break;
  }
  for (const each of missing) {
    await attempt(operation, each, 'to make this folder', () => files.makeFolder(each));
    const above = path.dirname(each);
    await attempt(operation, above, 'to flush the folder to the disk', () => files.syncFolder(above));
  }
}

/** Runs a file operation; throws FileError that says what was to be done, and where, if it fails. */
export async function attempt<T>(
  operation: string,
  file: string,
  expected: string,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new FileError(
      { operation, argument: file, expected, received: textOf(cause), ...hintOf(cause) },
      { cause },
    );
  }
}

async function removeIfThere(files: FileSystem, file: string): Promise<void> {
  try {
    await files.remove(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function exists(operation: string, files: FileSystem, folder: string): Promise<boolean> {
  return attempt(operation, folder, 'to find a folder, or none', async () => {
    try {
      await files.list(folder);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  });
}

function isOtherProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function textOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (message === undefined) return String(cause);
  return code === undefined || message.startsWith(code) ? message : `${code}: ${message}`;
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room, then go on',
  EDQUOT: 'the quota is used up: make room, then go on',
  EACCES: 'not permitted: look at the rights of file and folder',
  EPERM: 'not permitted: look at the rights of file and folder',
  EROFS: 'the disk is mounted read-only',
  EIO: 'the disk reports an error: look at its health',
  ENOENT: 'look at the path',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
};

function hintOf(cause: unknown): { hint?: string } {
  const hint = HINTS[(cause as NodeJS.ErrnoException).code ?? ''];
  return hint === undefined ? {} : { hint };
}
