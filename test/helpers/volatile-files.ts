/**
 * A disk in memory that loses power: content that was not flushed and names whose folder was not flushed may be lost,
 * in any combination. The worst of what POSIX allows, and worse than any one file system does.
 *
 * After a power loss each file's unflushed content is, by a coin, its old one, nothing, zeros, the first half of the
 * new one, or the new one; each unflushed creation, renaming or removal has happened or has not.
 */
import path from 'node:path';
import type { FileSystem, OpenFile } from '../../src/io/file-system.ts';

interface Inode {
  content: Uint8Array;
  flushed: Uint8Array;
}

/** A change of names that is not on the disk yet: removed and added at once. */
interface Change {
  readonly folder: string;
  readonly remove?: string;
  readonly add?: readonly [string, Inode];
}

type Folders = Map<string, Map<string, Inode>>;

export class PowerLoss extends Error {}

export interface VolatileFiles {
  readonly files: FileSystem;
  readonly operations: () => number;
  /** What a restarted machine finds: a new disk of the same kind. `coin(n)`: a number from 0 to n - 1. */
  restart(coin: (sides: number) => number): VolatileFiles;
  /** The same disk, all of it flushed, whose power goes away at an operation (counted from 0). */
  copy(lossAt: number): VolatileFiles;
}

/** An empty disk, or one with `folders`. From operation `lossAt` on (counted from 0), power is off. */
export function volatileFiles(
  folders: Folders = new Map([['/', new Map()]]),
  lossAt = Infinity,
): VolatileFiles {
  const current: Folders = new Map([...folders].map(([name, files]) => [name, new Map(files)]));
  const durable: Folders = new Map([...folders].map(([name, files]) => [name, new Map(files)]));
  const pending: Change[] = [];
  let count = 0;

  const step = () => {
    if (count++ >= lossAt) throw new PowerLoss('no power');
  };
  const folderOf = (name: string, among = current): Map<string, Inode> => {
    const found = among.get(name);
    if (found === undefined) throw missing(name);
    return found;
  };
  const find = (file: string): Inode => {
    const inode = folderOf(path.dirname(file)).get(path.basename(file));
    if (inode === undefined) throw missing(file);
    return inode;
  };
  const change = (entry: Change) => {
    apply(folderOf(entry.folder), entry);
    pending.push(entry);
  };
  const opened = (inode: Inode): OpenFile => ({
    async size() {
      step();
      return inode.content.length;
    },
    async read(into, position) {
      step();
      const part = inode.content.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
    async write(bytes, position) {
      step();
      const length = Math.max(inode.content.length, position + bytes.length);
      const content = new Uint8Array(length);
      content.set(inode.content);
      content.set(bytes, position);
      inode.content = content;
    },
    async sync() {
      step();
      inode.flushed = inode.content;
    },
    async close() {
      step();
    },
  });

  const files: FileSystem = {
    async open(file) {
      step();
      return opened(find(file));
    },
    async create(file) {
      step();
      const [folder, name] = [path.dirname(file), path.basename(file)];
      if (folderOf(folder).has(name)) throw Object.assign(new Error(`EEXIST: ${file}`), { code: 'EEXIST' });
      const inode = { content: new Uint8Array(), flushed: new Uint8Array() };
      change({ folder, add: [name, inode] });
      return opened(inode);
    },
    async rename(from, to) {
      step();
      change({ folder: path.dirname(to), remove: path.basename(from), add: [path.basename(to), find(from)] });
    },
    async remove(file) {
      step();
      find(file);
      change({ folder: path.dirname(file), remove: path.basename(file) });
    },
    async list(folder) {
      step();
      return [...folderOf(folder).keys()];
    },
    async makeFolder(folder) {
      step();
      // Folders are durable at once: their parents' flushing is not what is tested here.
      for (const among of [current, durable]) if (!among.has(folder)) among.set(folder, new Map());
    },
    async syncFolder(folder) {
      step();
      for (const entry of pending) if (entry.folder === folder) apply(folderOf(folder, durable), entry);
      const rest = pending.filter((entry) => entry.folder !== folder);
      pending.splice(0, pending.length, ...rest);
    },
  };

  return {
    files,
    operations: () => count,
    restart(coin) {
      const found: Folders = new Map([...durable].map(([name, entries]) => [name, new Map(entries)]));
      for (const entry of pending) if (coin(2) === 1) apply(found.get(entry.folder)!, entry);
      const survivors = new Map<Inode, Inode>();
      for (const entries of found.values()) {
        for (const [name, inode] of entries) {
          if (!survivors.has(inode)) survivors.set(inode, afterLoss(inode, coin));
          entries.set(name, survivors.get(inode)!);
        }
      }
      return volatileFiles(found);
    },
    copy: (at) => volatileFiles(current, at),
  };
}

function apply(folder: Map<string, Inode>, { remove, add }: Change): void {
  if (remove !== undefined) folder.delete(remove);
  if (add !== undefined) folder.set(add[0], add[1]);
}

function afterLoss({ content, flushed }: Inode, coin: (sides: number) => number): Inode {
  const half = content.slice(0, content.length >> 1);
  const choices = [flushed, new Uint8Array(), new Uint8Array(content.length), half, content];
  const found = content === flushed ? content : choices[coin(choices.length)]!;
  return { content: found, flushed: found };
}

function missing(name: string): Error {
  return Object.assign(new Error(`ENOENT: no such file or directory, ${name}`), { code: 'ENOENT' });
}
