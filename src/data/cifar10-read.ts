/**
 * Reads all of CIFAR-10 from its folder or its archive into shared memory: training [50000, 32, 32, 3] and
 * test [10000, 32, 32, 3] bytes (NHWC) with Int32 labels. Every file's size and every label is checked.
 */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors.ts';
import {
  checkFileSize,
  FILE_RECORDS,
  IMAGE_BYTES,
  parseCifar10,
  RECORD_BYTES,
  TEST_FILE,
  TRAINING_FILES,
} from './cifar10-format.ts';
import { type TarLimits, tarEntries } from './untar.ts';

/** Images and labels in shared memory. */
export interface LabelledImages {
  /** [size, H, W, C] */
  readonly pixels: Uint8Array;
  /** [size] */
  readonly labels: Int32Array;
}

/** Both parts of CIFAR-10 as the files have them. */
export interface Cifar10Images {
  readonly training: LabelledImages;
  readonly test: LabelledImages;
}

/** Generous for the official archive, 184 MB unpacked in 9 entries. */
export const ARCHIVE_LIMITS: TarLimits = { maxBytes: 400_000_000, maxEntries: 100 };

const FILE_BYTES = FILE_RECORDS * RECORD_BYTES;

/** Room for `size` labelled images of `imageBytes` bytes, on shared memory. */
export function sharedImages(size: number, imageBytes: number): LabelledImages {
  return {
    pixels: new Uint8Array(new SharedArrayBuffer(size * imageBytes)),
    labels: new Int32Array(new SharedArrayBuffer(size * 4)),
  };
}

/** Reads the six files of a folder; throws DataError naming one that is missing or damaged. */
export async function readCifar10Directory(directory: string): Promise<Cifar10Images> {
  const images = allocate();
  for (const name of [...TRAINING_FILES, TEST_FILE]) {
    const file = path.join(directory, name);
    parseInto(images, name, file, await readWhole(file));
  }
  return images;
}

/**
 * Reads the six files straight from a .tar.gz, in whatever folder they lie there. Throws DataError for one
 * that is missing or damaged, FormatError for a damaged archive.
 */
export async function readCifar10Archive(archive: string): Promise<Cifar10Images> {
  const images = allocate();
  const missing = new Set([...TRAINING_FILES, TEST_FILE]);
  for await (const entry of tarEntries(archive, ARCHIVE_LIMITS)) {
    const name = path.posix.basename(entry.name);
    if (!missing.has(name)) continue;
    const file = `${archive}, ${entry.name}`;
    checkFileSize(file, entry.size);
    const bytes = new Uint8Array(FILE_BYTES);
    let filled = 0;
    for await (const piece of entry.body) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
    parseInto(images, name, file, bytes);
    missing.delete(name);
  }
  for (const name of missing) throw missingFile(`${archive}, ${name}`, 'no such file in the archive');
  return images;
}

function allocate(): Cifar10Images {
  return {
    training: sharedImages(TRAINING_FILES.length * FILE_RECORDS, IMAGE_BYTES),
    test: sharedImages(FILE_RECORDS, IMAGE_BYTES),
  };
}

function parseInto(images: Cifar10Images, name: string, file: string, bytes: Uint8Array): void {
  const index = TRAINING_FILES.indexOf(name);
  const { pixels, labels } = index < 0 ? images.test : images.training;
  const first = Math.max(0, index) * FILE_RECORDS;
  parseCifar10(
    file,
    bytes,
    pixels.subarray(first * IMAGE_BYTES, (first + FILE_RECORDS) * IMAGE_BYTES),
    labels.subarray(first, first + FILE_RECORDS),
  );
}

/** A file of the right size, its size checked before anything is read. */
async function readWhole(file: string): Promise<Uint8Array> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw missingFile(file, error.code === 'ENOENT' ? 'no such file' : error.message, error);
  });
  try {
    checkFileSize(file, (await handle.stat()).size);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function missingFile(argument: string, received: string, cause?: unknown): DataError {
  return new DataError(
    {
      operation: 'cifar10',
      argument,
      expected: `a file of ${FILE_BYTES} bytes`,
      received,
      hint: 'restore the file, or remove the folder to have it downloaded again',
    },
    { cause },
  );
}
