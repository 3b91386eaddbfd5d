/** All pictures of known classes below a folder as one data set, such as one to evaluate a trained model on. */
import { DataError } from '../../errors.ts';
import { subset } from '../array-dataset.ts';
import type { Dataset } from '../dataset.ts';
import { foldersIn, scanFolder } from './folder-scan.ts';
import { type ImageFilesOptions, imageFiles } from './image-files.ts';
import { type ReadingOptions, readAll, type Skipped } from './read-all.ts';

export interface LabelledImagesOptions
  extends Omit<ImageFilesOptions, 'labels' | 'classes' | 'classNames'>,
    ReadingOptions {
  /** The classes in the order of their indices; each has a folder of its name, or no pictures. */
  readonly classNames: readonly string[];
}

export interface LabelledImages {
  readonly dataset: Dataset;
  readonly skipped: readonly Skipped[];
}

/**
 * The pictures in the folders of the classes, class by class. Throws DataError where there is none, or a folder that is
 * no class's, FileError where something cannot be read, ConfigError for options that make no sense.
 */
export async function labelledImages(
  folder: string,
  options: LabelledImagesOptions,
): Promise<LabelledImages> {
  const { classNames, strict, onProgress, ...rest } = options;
  const strange = foldersIn(folder).find((name) => !classNames.includes(name));
  if (strange !== undefined) {
    throw new DataError({
      operation: 'labelledImages',
      argument: folder,
      expected: `folders of the classes ${classNames.slice(0, 20).join(', ')}`,
      received: JSON.stringify(strange),
    });
  }
  const { files, labels } = scanFolder(folder, classNames);
  const whole = imageFiles(files, { ...rest, labels, classNames });
  const reading = { ...(strict !== undefined && { strict }), ...(onProgress && { onProgress }) };
  const { sums, skipped } = await readAll(whole, files, reading);
  const readable = files.map((_, i) => i).filter((i) => sums[i] !== undefined);
  if (readable.length > 0) return { dataset: subset(whole, readable), skipped };
  throw new DataError({
    operation: 'labelledImages',
    argument: folder,
    expected: 'a readable JPEG, PNG or WebP file in the folder of a class',
    received: `none of ${files.length}`,
  });
}
