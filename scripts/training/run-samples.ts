/** The samples of a run on a folder of pictures, as config.json keeps them. */
import path from 'node:path';
import {
  type Dataset,
  type ImageFolder,
  type ImageFolderOptions,
  labelsOf,
  subset,
} from '../../src/index.ts';
import type { RunSamples } from './run-folder.ts';

/** As many as the page of a run shows. */
const COUNT = 24;

/** The first pictures of the test set, or of what there is in its place. */
export async function runSamples(
  folder: string,
  data: ImageFolder,
  resize: NonNullable<ImageFolderOptions['resize']>,
): Promise<RunSamples> {
  const part = (['test', 'validation', 'train'] as const).find((name) => data[name].size > 0)!;
  const shown: Dataset = subset(data[part], COUNT);
  const labels = await labelsOf(shown);
  const files = data.files[part].slice(0, COUNT);
  return {
    inputShape: shown.inputShape as unknown as RunSamples['inputShape'],
    resize,
    classNames: data.classNames,
    files: files.map((file, i) => ({
      file: path.relative(folder, file).replaceAll(path.sep, '/'),
      label: labels[i]!,
    })),
  };
}
