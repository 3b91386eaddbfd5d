/**
 * The official binary layout of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): files of 10,000
 * records, a record being 1 label byte and 3,072 pixel bytes, planar: 1,024 red, 1,024 green, 1,024 blue,
 * each plane row by row. Read into interleaved images [10000, 32, 32, 3] (NHWC) and Int32 labels.
 */
import { DataError } from '../errors.ts';
import type { Shape } from '../tensor/shape.ts';

/** One image, [H, W, C]. */
export const CIFAR10_SHAPE: Shape = [32, 32, 3];
/** Bytes of one image, and of one record with its label in front. */
export const IMAGE_BYTES = 3072;
export const RECORD_BYTES = IMAGE_BYTES + 1;
/** Records of every file. */
export const FILE_RECORDS = 10000;

const PLANE = 1024;
const CLASSES = 10;

/** The five training files in order, and the test file. */
export const TRAINING_FILES: readonly string[] = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
export const TEST_FILE = 'test_batch.bin';

/** The classes' names by label. */
export const CIFAR10_CLASSES: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/**
 * Reads one file's bytes into `pixels` [records, 32, 32, 3] and `labels` [records].
 * Throws DataError, naming `file`: for another size than expected with both sizes, for a label above 9 with
 * its record and byte offset.
 */
export function parseCifar10(
  file: string,
  bytes: Uint8Array,
  pixels: Uint8Array,
  labels: Int32Array,
  records: number = FILE_RECORDS,
): void {
  checkFileSize(file, bytes.length, records);
  for (let record = 0; record < records; record++) {
    const start = record * RECORD_BYTES;
    const label = bytes[start] as number;
    if (label >= CLASSES) {
      throw new DataError({
        operation: 'cifar10',
        argument: `${file}, record ${record} at byte offset ${start}`,
        expected: 'a label from 0 to 9',
        received: String(label),
        hint: 'the file is damaged: remove it and load again',
      });
    }
    labels[record] = label;
    interleave(bytes, start + 1, pixels, record * IMAGE_BYTES);
  }
}

/** Throws DataError unless a file of `records` records has its size, naming the file and both sizes. */
export function checkFileSize(file: string, received: number, records: number = FILE_RECORDS): void {
  const expected = records * RECORD_BYTES;
  if (received === expected) return;
  throw new DataError({
    operation: 'cifar10',
    argument: file,
    expected: `${expected} bytes (${records} records of ${RECORD_BYTES})`,
    received: `${received} bytes`,
    hint: 'the file is damaged or truncated: remove it and load again',
  });
}

/** Planar RGB to interleaved RGB, one image. */
function interleave(from: Uint8Array, red: number, to: Uint8Array, start: number): void {
  const green = red + PLANE;
  const blue = green + PLANE;
  for (let i = 0, at = start; i < PLANE; i++, at += 3) {
    to[at] = from[red + i] as number;
    to[at + 1] = from[green + i] as number;
    to[at + 2] = from[blue + i] as number;
  }
}
