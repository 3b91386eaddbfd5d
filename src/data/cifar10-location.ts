/**
 * Where CIFAR-10 lies on this machine. Tried in this order: the option `data`, the variable CIFAR10_DIR, the
 * project's folder data/cifar-10-batches-bin, the user's cache. A place that was named and holds no CIFAR-10
 * is an error, never passed over; the last two count only where any of the files lies in them.
 */
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DataError } from '../errors.ts';
import { TEST_FILE, TRAINING_FILES } from './cifar10-format.ts';

/** The folder's name inside the official archive, and the archive's. */
export const CIFAR10_FOLDER = 'cifar-10-batches-bin';
export const CIFAR10_ARCHIVE = 'cifar-10-binary.tar.gz';

/** A folder with the .bin files, an archive with them, or nothing. */
export type Cifar10Location =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'archive'; readonly path: string }
  | { readonly kind: 'nowhere' };

/** Where to look. */
export interface SearchPlaces {
  /** The folder with the .bin files, its parent, or the archive. */
  readonly data?: string | undefined;
  /** Default: the process's environment. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Default: the working directory. */
  readonly projectDirectory?: string | undefined;
  /** Default: `userCache(env)`. */
  readonly cacheDirectory?: string | undefined;
}

/** The library's folder in the user's cache: $XDG_CACHE_HOME/faltung, else ~/.cache/faltung. */
export function userCache(env: NodeJS.ProcessEnv = process.env): string {
  // The XDG specification has relative paths ignored.
  const base = env.XDG_CACHE_HOME;
  return path.join(base && path.isAbsolute(base) ? base : path.join(os.homedir(), '.cache'), 'faltung');
}

/** Looks in the places in order; throws DataError for a named place without CIFAR-10. */
export async function locateCifar10(places: SearchPlaces = {}): Promise<Cifar10Location> {
  const env = places.env ?? process.env;
  if (places.data !== undefined) return namedPlace('data', places.data);
  if (env.CIFAR10_DIR) return namedPlace('CIFAR10_DIR', env.CIFAR10_DIR);
  const parents = [
    path.join(places.projectDirectory ?? process.cwd(), 'data'),
    places.cacheDirectory ?? userCache(env),
  ];
  for (const parent of parents) {
    const directory = path.join(parent, CIFAR10_FOLDER);
    if (await holdsAnyFile(directory)) return { kind: 'directory', path: directory };
  }
  return { kind: 'nowhere' };
}

async function namedPlace(argument: string, place: string): Promise<Cifar10Location> {
  if (await isFile(place)) {
    if (/\.(tar\.gz|tgz)$/.test(place)) return { kind: 'archive', path: place };
    throw noData(argument, `the file ${place}`);
  }
  for (const directory of [place, path.join(place, CIFAR10_FOLDER)]) {
    if (await holdsAnyFile(directory)) return { kind: 'directory', path: directory };
  }
  const archive = path.join(place, CIFAR10_ARCHIVE);
  if (await isFile(archive)) return { kind: 'archive', path: archive };
  const exists = await stat(place).then(
    () => true,
    () => false,
  );
  if (!exists) throw noData(argument, `${place}, which does not exist`);
  const pickled = [path.join(place, 'data_batch_1'), path.join(place, 'cifar-10-batches-py', 'data_batch_1')];
  if ((await isFile(pickled[0] as string)) || (await isFile(pickled[1] as string))) {
    throw noData(argument, `${place}, which holds the Python version`, 'the binary version is needed');
  }
  throw noData(argument, `${place}, which has none of them`);
}

function noData(argument: string, received: string, hint?: string): DataError {
  return new DataError({
    operation: 'cifar10',
    argument,
    expected: `a folder with ${TRAINING_FILES[0]} and its like, its parent, or ${CIFAR10_ARCHIVE}`,
    received,
    ...(hint && { hint }),
  });
}

async function holdsAnyFile(directory: string): Promise<boolean> {
  for (const name of [...TRAINING_FILES, TEST_FILE]) {
    if (await isFile(path.join(directory, name))) return true;
  }
  return false;
}

async function isFile(name: string): Promise<boolean> {
  return stat(name).then(
    (status) => status.isFile(),
    () => false,
  );
}
