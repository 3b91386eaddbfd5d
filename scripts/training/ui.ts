/** `--ui`: the page of a run that a training command serves while it trains. */
import { readFile } from 'node:fs/promises';
import { type EpochRecord, readEpochEvents } from '../../src/index.ts';
import { type TrainingUi, trainingUi } from '../../src/ui/index.ts';
import type { TrainingOptions } from './options.ts';
import { runFiles } from './run-folder.ts';

/** Serves the page where the options ask for it, and prints its address. */
export async function openUi(command: string, options: TrainingOptions): Promise<TrainingUi | undefined> {
  if (!options.ui) return undefined;
  const { out, resume } = options;
  const records = resume === undefined ? [] : await recordsOf(out);
  const ui = await trainingUi({ title: `${command}, ${out}`, records });
  process.stdout.write(`Follow it at ${ui.url}\n\n`);
  return ui;
}

/** Epochs that the run has behind it. */
async function recordsOf(out: string): Promise<EpochRecord[]> {
  return readEpochEvents(await readFile(runFiles(out).events, 'utf8').catch(() => ''));
}
