/** A file system below which operations fail as an operating system's do: the n-th one, or all from it on. */
import type { FileSystem, OpenFile } from '../../src/io/file-system.ts';

export interface Failure {
  /** Which operation fails, from 0; counted over all of them. */
  readonly at: number;
  readonly code: 'ENOSPC' | 'EIO' | 'EACCES';
  /** Whether all later ones fail, too. */
  readonly forGood: boolean;
}

/** The file system, and how many operations it was asked for. */
export interface FailingFiles {
  readonly files: FileSystem;
  readonly operations: () => number;
}

/** `inner` with failures; without `failure` it only counts. A write that fails leaves half of its bytes. */
export function failingFiles(inner: FileSystem, failure?: Failure): FailingFiles {
  let count = 0;
  const fails = () => {
    const at = count++;
    if (failure === undefined) return false;
    return failure.forGood ? at >= failure.at : at === failure.at;
  };
  const error = () =>
    Object.assign(new Error(`${failure!.code}: as the test wishes`), { code: failure!.code });
  const guard = async <T>(run: () => Promise<T>): Promise<T> => {
    if (fails()) throw error();
    return run();
  };
  const guarded = (file: OpenFile): OpenFile => ({
    size: () => guard(() => file.size()),
    read: (into, position) => guard(() => file.read(into, position)),
    async write(bytes, position) {
      if (!fails()) return file.write(bytes, position);
      await file.write(bytes.subarray(0, bytes.length >> 1), position);
      throw error();
    },
    sync: () => guard(() => file.sync()),
    async close() {
      const failed = fails();
      await file.close();
      if (failed) throw error();
    },
  });
  const files: FileSystem = {
    open: (file) => guard(async () => guarded(await inner.open(file))),
    create: (file) => guard(async () => guarded(await inner.create(file))),
    rename: (from, to) => guard(() => inner.rename(from, to)),
    remove: (file) => guard(() => inner.remove(file)),
    list: (folder) => guard(() => inner.list(folder)),
    makeFolder: (folder) => guard(() => inner.makeFolder(folder)),
    syncFolder: (folder) => guard(() => inner.syncFolder(folder)),
  };
  return { files, operations: () => count };
}
