/**
 * The file operations that saving and loading use, as an interface: the local disk is the default, and whatever keeps
 * these contracts may take its place.
 */
import { constants, type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

/** A file that is open. */
export interface OpenFile {
  /** Its length in bytes. Throws for what is not a regular file. */
  size(): Promise<number>;
  /** Fills `into` from byte `position` on; returns the bytes read, fewer than asked for only at the file's end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` from byte `position` on. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Returns when the content is on the disk and a power loss cannot take it back. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Where files are. All functions reject with the operating system's errors (`code`: 'ENOSPC', ...). */
export interface FileSystem {
  /** Opens an existing file for reading. */
  open(file: string): Promise<OpenFile>;
  /** Makes a new file for writing; rejects with EEXIST where there is one. */
  create(file: string): Promise<OpenFile>;
  /** Gives a file another name in the same folder, at once; one that had the name is replaced. */
  rename(from: string, to: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Names in a folder, in any order. */
  list(folder: string): Promise<string[]>;
  /** Makes a folder; the one above exists. Does nothing where the folder exists. */
  makeFolder(folder: string): Promise<void>;
  /** Returns when the names in a folder are on the disk. */
  syncFolder(folder: string): Promise<void>;
}

/** The local disk. */
export const localFiles: FileSystem = {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  open: async (file) => openFile(await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)), file),
  create: async (file) => openFile(await open(file, 'wx'), file),
  rename,
  remove: unlink,
  list: (folder) => readdir(folder),
  async makeFolder(folder) {
    try {
      await mkdir(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      await readdir(folder);
    }
  },
  async syncFolder(folder) {
    // Windows opens no folders, and keeps names in a journal of its own.
    if (path.sep === '\\') return;
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function openFile(handle: FileHandle, file: string): OpenFile {
  return {
    async size() {
      const status = await handle.stat();
      if (status.isFile()) return status.size;
      throw Object.assign(new Error(`not a regular file: ${file}`), { code: 'EINVAL' });
    },
    async read(into, position) {
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}
