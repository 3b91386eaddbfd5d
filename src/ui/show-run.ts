/** A page that shows a run from its folder: finished, stopped, or under way in another process. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { FaltungError, FileError } from '../errors.ts';
import { load } from '../training/models.ts';
import { canShowSamples, filterPictures, firstConvolution, samplePictures } from './pictures.ts';
import { viewOfEvents } from './run-events.ts';
import type { RunView, ViewChange } from './run-view.ts';
import { startServer } from './server.ts';

export interface ShowRunOptions {
  /** Above the page; default: the folder's name. */
  readonly title?: string;
  /** Port on 127.0.0.1; default 0: a free one. */
  readonly port?: number;
  /** The samples that the run's model is shown at work on; default: none. */
  readonly samples?: Dataset;
  /** How many of them, the first ones. Default 24. */
  readonly sampleCount?: number;
  /** Seconds between two looks at the folder. Default 1. */
  readonly everySeconds?: number;
}

/** A page that shows a run. */
export interface ShownRun {
  readonly url: string;
  readonly view: RunView;
  close(): Promise<void>;
}

/** In this order: what the run gave, else the best so far. */
const MODELS = ['model.safetensors', 'best.safetensors'];

/**
 * Serves the page of a run's folder, on the loopback interface alone; it needs the package uplot. Nothing can be
 * changed from it. Throws FileError where the folder has no metrics.jsonl, and what `trainingUi` throws.
 */
export async function showRun(folder: string, options: ShowRunOptions = {}): Promise<ShownRun> {
  const { title = path.basename(path.resolve(folder)), port = 0, everySeconds = 1 } = options;
  const events = path.join(folder, 'metrics.jsonl');
  const start: RunView = {
    title,
    status: 'waiting',
    controllable: false,
    epochs: 0,
    records: [],
    points: [],
  };
  const text = await readEvents(events);
  const server = await startServer({ view: viewOfEvents(start, text, Date.now()), port, token: '' });
  let seen = { text, status: server.view.status, model: '' };
  let looking = false;

  async function look(): Promise<void> {
    const now = await readFile(events, 'utf8').catch(() => seen.text);
    const view = viewOfEvents(start, now, Date.now());
    if (now !== seen.text || view.status !== seen.status) server.update(view);
    const model = await newestModel(folder);
    if (model !== undefined && model.version !== seen.model)
      server.update(await pictures(model.file, view, options));
    seen = { text: now, status: view.status, model: model?.version ?? '' };
  }

  /** Looks again and again; what goes wrong is seen on the page. */
  async function keepLooking(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      await look();
    } catch (error) {
      server.update({ message: error instanceof Error ? error.message : String(error) });
    }
    looking = false;
  }

  await look();
  const timer = setInterval(() => void keepLooking(), 1000 * everySeconds);
  timer.unref();
  return {
    url: `http://127.0.0.1:${server.port}/`,
    get view() {
      return server.view;
    },
    async close() {
      clearInterval(timer);
      await server.close();
    },
  };
}

async function readEvents(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const hint = 'name the folder of a run, such as runs/<date>-<name>';
    throw new FileError(
      { operation: 'showRun', argument: file, expected: 'to read it', received, hint },
      { cause },
    );
  }
}

/** The model to show, and what changes when it does. */
async function newestModel(folder: string) {
  for (const name of MODELS) {
    const file = path.join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined) return { file, version: `${name} ${found.mtimeMs} ${found.size}` };
  }
  return undefined;
}

/** Filters and samples of a model's file; of one that cannot be shown, why. */
async function pictures(file: string, { records }: RunView, options: ShowRunOptions): Promise<ViewChange> {
  const { samples, sampleCount = 24 } = options;
  const epoch = records.at(-1)?.epoch ?? 0;
  try {
    const model = await load(file);
    try {
      const weights = model.getWeights();
      const layer = firstConvolution(weights);
      return {
        ...(layer !== undefined && { filters: filterPictures(weights, layer, epoch) }),
        ...(samples !== undefined &&
          canShowSamples(model, samples) && {
            samples: await samplePictures(model, samples, sampleCount, {}, epoch),
          }),
      };
    } finally {
      await model.close();
    }
  } catch (error) {
    if (!(error instanceof FaltungError)) throw error;
    return { message: `${path.basename(file)} cannot be shown: ${error.message}` };
  }
}
