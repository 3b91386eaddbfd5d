/** The data of a run, as far as they are at hand: its page shows the model at work on them. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FormatError } from '../../src/errors.ts';
import { cifar10, type Dataset, FaltungError, imageFiles, type Resize } from '../../src/index.ts';
import { isJsonObject, type Json, parseJson } from '../../src/io/json-value.ts';
import * as folder from '../train/options.ts';
import * as cifar from '../train-cifar/options.ts';
import { readConfig, runFiles } from '../training/run-folder.ts';

/** The test images, or why there are none. Nothing is downloaded for them. */
export async function samplesOfRun(
  run: string,
): Promise<{ readonly samples?: Dataset; readonly missing?: string }> {
  try {
    const config = await configOf(run);
    if (config.command === cifar.COMMAND) return { samples: await cifarSamples(run) };
    if (config.command !== folder.COMMAND) return { missing: 'the data of this run are not known' };
    const { data, maxPixels } = await readConfig(folder.COMMAND, run, folder.parseOptions);
    if (config.samples === undefined) return { missing: `${runFiles(run).config} names none` };
    return { samples: pictures(run, config.samples, data, maxPixels) };
  } catch (error) {
    if (!(error instanceof FaltungError)) throw error;
    return { missing: error.message };
  }
}

async function cifarSamples(run: string): Promise<Dataset> {
  const options = await readConfig(cifar.COMMAND, run, cifar.parseOptions);
  const { data: place, limit, seed, normalization, validationSplit } = options;
  const offline = { url: 'http://127.0.0.1:9/', fallback: 'error', offlineTimeoutMs: 500 } as const;
  const data = await cifar10.load({ data: place, limit, seed, normalization, validationSplit, ...offline });
  return data.test;
}

/** The pictures that config.json names, below the run's data: nothing else is opened for a stranger's run. */
function pictures(run: string, samples: Json, data: string, maxPixels: number | undefined): Dataset {
  const { inputShape, resize, classNames, files } = (isJsonObject(samples) ? samples : {}) as Readonly<
    Record<string, Json | undefined>
  >;
  const listed: readonly Json[] = Array.isArray(files) ? files : [];
  const inside = listed
    .filter(isSample)
    .filter(({ file }) => !path.isAbsolute(file) && !file.split(/[/\\]/).includes('..'));
  const whole =
    isNumbers(inputShape) && isTexts(classNames) && inside.length > 0 && inside.length === listed.length;
  if (!whole) {
    throw new FormatError({
      operation: `ui, ${runFiles(run).config}`,
      argument: 'samples',
      expected: 'inputShape, resize, classNames, and files below the data',
      received: JSON.stringify(samples).slice(0, 100),
    });
  }
  return imageFiles(
    inside.map(({ file }) => path.join(data, file)),
    {
      inputShape: inputShape as unknown as [number, number, number],
      labels: inside.map(({ label }) => label),
      classNames,
      resize: resize as Resize,
      ...(maxPixels !== undefined && { maxPixels }),
    },
  );
}

function isSample(value: Json): value is { readonly file: string; readonly label: number } {
  return isJsonObject(value) && typeof value.file === 'string' && typeof value.label === 'number';
}

function isNumbers(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** What config.json says, as far as it can be read; of damaged ones `readConfig` says more. */
async function configOf(run: string): Promise<Readonly<Record<string, Json | undefined>>> {
  const file = runFiles(run).config;
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const config = parseJson(text.trimEnd(), `ui, ${file}`, 'byte');
  return isJsonObject(config) ? config : {};
}
