/** What a model is evaluated on: CIFAR-10's test set, or a folder of pictures. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { locateCifar10 } from '../../src/data/cifar10-location.ts';
import { foldersIn } from '../../src/data/images/folder-scan.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import { cifar10, type Dataset, labelledImages, type Skipped, subset } from '../../src/index.ts';
import type { Classifier } from './open-model.ts';

export interface TestData {
  readonly dataset: Dataset;
  readonly description: string;
  readonly skipped: readonly Skipped[];
}

/**
 * The data of `--data`, normalised as the model's own were: a place of CIFAR-10, or a folder with a folder of pictures
 * for each class (its `test`, where it has one). Throws ConfigError where they do not fit the model, DataError where
 * there are none.
 */
export async function openTestData(
  command: string,
  classifier: Classifier,
  options: {
    readonly data: string | undefined;
    readonly limit: number | undefined;
    readonly strict: boolean;
  },
): Promise<TestData> {
  const { data, limit } = options;
  const found =
    data === undefined || (await isCifar10(data))
      ? await cifarTest(command, classifier, data)
      : await pictures(classifier, data, options.strict);
  return { ...found, dataset: limit === undefined ? found.dataset : subset(found.dataset, limit) };
}

async function isCifar10(place: string): Promise<boolean> {
  if (place === 'synthetic') return true;
  try {
    return (await locateCifar10({ data: place })).kind !== 'nowhere';
  } catch (error) {
    if (!(error instanceof DataError) || !existsSync(place)) throw error;
    return false;
  }
}

async function cifarTest(
  command: string,
  classifier: Classifier,
  data: string | undefined,
): Promise<TestData> {
  const { inputShape, classes, normalization, file } = classifier;
  if (inputShape.join() !== '32,32,3' || classes !== 10) {
    throw new ConfigError({
      operation: command,
      argument: '--model',
      expected: 'a model for CIFAR-10: images [32, 32, 3], 10 classes',
      received: `${file}, for images [${inputShape.join(', ')}] and ${classes} classes`,
      hint: '--data takes a folder of pictures of your own, too',
    });
  }
  const loaded = await cifar10.load({ data, normalization, fallback: 'error' });
  const synthetic = loaded.source === 'synthetic';
  return {
    dataset: loaded.test,
    description: synthetic ? 'drawn images (synthetic)' : `the test set of CIFAR-10 in ${loaded.location}`,
    skipped: [],
  };
}

async function pictures(classifier: Classifier, folder: string, strict: boolean): Promise<TestData> {
  const { inputShape, normalization, resize, named, classes } = classifier;
  const place = foldersIn(folder).includes('test') ? path.join(folder, 'test') : folder;
  const classNames = named ? classifier.classNames : foldersIn(place);
  if (classNames.length !== classes) {
    throw new DataError({
      operation: 'evaluate',
      argument: place,
      expected: `${classes} folders, one a class, as the model's file does not name them`,
      received: String(classNames.length),
    });
  }
  const options = { inputShape, classNames, normalization, resize, strict };
  const { dataset, skipped } = await labelledImages(place, options);
  return { dataset, skipped, description: place };
}
