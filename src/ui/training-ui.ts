/** A page in the browser that follows a training run and can pause it, go on, stop and save. */
import { randomBytes } from 'node:crypto';
import type { Dataset } from '../data/dataset.ts';
import { ConfigError } from '../errors.ts';
import type { Callback } from '../training/callbacks/callback.ts';
import type { EpochRecord } from '../training/history.ts';
import { liveCallback } from './live-callback.ts';
import type { RunStatus } from './run-view.ts';
import { type ControlAction, startServer } from './server.ts';

export interface TrainingUiOptions {
  /** Above the page; default 'Training'. */
  readonly title?: string;
  /** Port on 127.0.0.1; default 0: a free one. */
  readonly port?: number;
  /** The samples shown with the model's answers; default: the validation set, else the training set. */
  readonly samples?: Dataset;
  /** How many of them, the first ones. Default 24. */
  readonly sampleCount?: number;
  /** Epochs that a run which goes on has behind it. */
  readonly records?: readonly EpochRecord[];
}

/** A page that follows a run. */
export interface TrainingUi {
  /** Its address, with the token that lets it pause and stop the run; without what follows `#` it only shows. */
  readonly url: string;
  /** For `callbacks` of `fit`, as the last one. */
  readonly callback: Callback;
  /** For `signal` of `fit`: aborted by the page's "stop and save". */
  readonly signal: AbortSignal;
  /** Browsers that look on. */
  readonly listeners: number;
  /** Says how the run ended, where `fit` does not: what to do next, or what failed. */
  say(message: string, status?: RunStatus): void;
  /** Tells the browsers that this was all, and stops serving. */
  close(): Promise<void>;
}

const TOKEN_BYTES = 24;

function createPause() {
  let end = () => {};
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { promise, end };
}

/**
 * Serves the page, on the loopback interface alone; it needs the package uplot. The weights are those of a run without
 * it, bit for bit: it reads, and makes `fit` wait. Time spent paused counts in an epoch's seconds. Throws ConfigError
 * for a port that is taken or none, and where uplot is not installed.
 *
 *     const ui = await trainingUi({ title: 'My run' });
 *     console.log(ui.url);
 *     await model.fit(data.train, { ...options, callbacks: [ui.callback], signal: ui.signal });
 *     await ui.close();
 */
export async function trainingUi(options: TrainingUiOptions = {}): Promise<TrainingUi> {
  const { title = 'Training', port = 0, samples, sampleCount = 24, records = [] } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    const expected = 'a port, or 0 for a free one';
    throw new ConfigError({ operation: 'trainingUi', argument: 'port', expected, received: String(port) });
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const controller = new AbortController();
  let pause: { readonly promise: Promise<void>; readonly end: () => void } | undefined;

  const view = { title, status: 'waiting', controllable: true, epochs: 0, records, points: [] } as const;
  const server = await startServer({ view, port, token, onControl });
  const status = () => server.view.status;

  function onControl(action: ControlAction): void {
    if (!['waiting', 'running', 'paused'].includes(status())) return;
    if (action === 'pause') {
      pause ??= createPause();
      server.update({ status: 'paused' });
      return;
    }
    goOn();
    server.update({ status: action === 'stop' ? 'stopping' : 'running' });
    if (action === 'stop') controller.abort();
  }

  function goOn(): void {
    pause?.end();
    pause = undefined;
  }

  /** Also ends where the run is stopped from elsewhere, such as by Ctrl-C. */
  function paused(signal: AbortSignal | undefined): Promise<void> | undefined {
    if (pause === undefined || signal?.aborted) return undefined;
    signal?.addEventListener('abort', goOn, { once: true });
    return pause.promise.finally(() => signal?.removeEventListener('abort', goOn));
  }

  return {
    url: `http://127.0.0.1:${server.port}/#${token}`,
    signal: controller.signal,
    get listeners() {
      return server.listeners;
    },
    callback: liveCallback({
      samples,
      sampleCount,
      watched: () => server.listeners > 0,
      update: server.update,
      pause: paused,
      status,
    }),
    say(message, next = status()) {
      server.update({ message, status: next });
    },
    async close() {
      goOn();
      await server.close();
    },
  };
}
