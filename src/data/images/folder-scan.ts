/** The pictures below a folder, a class a folder, in an order that every machine agrees on. */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { DataError, FileError } from '../../errors.ts';

/** The pictures of one part of the data. */
export interface FolderScan {
  /** Paths and class indices, class by class, names in the order of their UTF-16 units. */
  readonly files: readonly string[];
  readonly labels: readonly number[];
  /** Files that no picture's name ends like. */
  readonly ignored: number;
}

const PICTURE = /\.(jpe?g|png|webp)$/i;

/** Names of the folders in a folder, sorted; hidden ones are left out. Throws FileError where it cannot be read. */
export function foldersIn(folder: string): string[] {
  return list(folder)
    .filter((entry) => isFolder(folder, entry))
    .map(({ name }) => name)
    .sort();
}

/**
 * All pictures of these classes, those in folders below a class's own included; links to folders are followed at the
 * top only. Throws DataError for a class without a folder, FileError where something cannot be read.
 */
export function scanFolder(folder: string, classNames: readonly string[]): FolderScan {
  const there = foldersIn(folder);
  const files: string[] = [];
  const labels: number[] = [];
  let ignored = 0;
  classNames.forEach((name, label) => {
    if (!there.includes(name)) return;
    const found = picturesBelow(path.join(folder, name));
    for (const picture of found.pictures) {
      files.push(picture);
      labels.push(label);
    }
    ignored += found.ignored;
  });
  return { files, labels, ignored };
}

/** Throws DataError unless the names are those of folders, each once. */
export function checkClassNames(folder: string, wanted: readonly string[]): void {
  const there = foldersIn(folder);
  const missing = wanted.find((name) => !there.includes(name));
  const twice = wanted.find((name, i) => wanted.indexOf(name) !== i);
  if (missing === undefined && twice === undefined) return;
  throw new DataError({
    operation: 'imageFolder',
    argument: 'classNames',
    expected: twice === undefined ? `folders in ${folder}` : 'each name once',
    received: JSON.stringify(twice ?? missing),
    ...(twice === undefined && { hint: `there are ${there.slice(0, 20).join(', ') || 'none'}` }),
  });
}

function picturesBelow(folder: string): { pictures: string[]; ignored: number } {
  const pictures: string[] = [];
  let ignored = 0;
  const entries = list(folder).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = picturesBelow(file);
      for (const picture of below.pictures) pictures.push(picture);
      ignored += below.ignored;
    } else if (PICTURE.test(entry.name)) pictures.push(file);
    else ignored += 1;
  }
  return { pictures, ignored };
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const details = {
      operation: 'imageFolder',
      argument: folder,
      expected: 'a folder that can be read',
      received,
    };
    throw new FileError(details, { cause });
  }
}

function isFolder(folder: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(path.join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
