/** The data of a run, as far as they are at hand: its page shows the model at work on them. */
import { readFile } from 'node:fs/promises';
import { cifar10, type Dataset, FaltungError } from '../../src/index.ts';
import { COMMAND, parseOptions } from '../train-cifar/options.ts';
import { readConfig, runFiles } from '../training/run-folder.ts';

/** The test images, or why there are none. Nothing is downloaded for them. */
export async function samplesOfRun(
  folder: string,
): Promise<{ readonly samples?: Dataset; readonly missing?: string }> {
  try {
    const command = await commandOf(folder);
    if (command !== COMMAND) return { missing: `the data of ${command ?? 'this run'} are not known` };
    const {
      data: place,
      limit,
      seed,
      normalization,
      validationSplit,
    } = await readConfig(COMMAND, folder, parseOptions);
    const offline = { url: 'http://127.0.0.1:9/', fallback: 'error', offlineTimeoutMs: 500 } as const;
    const data = await cifar10.load({ data: place, limit, seed, normalization, validationSplit, ...offline });
    return { samples: data.test };
  } catch (error) {
    if (!(error instanceof FaltungError)) throw error;
    return { missing: error.message };
  }
}

/** Which command the run is of; undefined where its configuration does not say. */
async function commandOf(folder: string): Promise<string | undefined> {
  try {
    const config = JSON.parse(await readFile(runFiles(folder).config, 'utf8')) as { command?: unknown };
    return typeof config.command === 'string' ? config.command : undefined;
  } catch {
    return undefined;
  }
}
