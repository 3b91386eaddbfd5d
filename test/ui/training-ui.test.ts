import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, describe, test } from 'node:test';
import {
  arrayDataset,
  type Callback,
  ConfigError,
  conv2d,
  dense,
  flatten,
  type Model,
  sequential,
  weightsSha256,
} from '../../src/index.ts';
import { type TrainingUi, trainingUi } from '../../src/ui/index.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { randomFrom } from '../helpers/twin.ts';
import { listen } from '../helpers/ui-listener.ts';

const engine = testEngine({ threads: 1 });
const random = randomFrom(3);
const data = arrayDataset({
  inputs: Uint8Array.from({ length: 40 * 48 }, () => Math.floor(256 * random())),
  inputShape: [4, 4, 3],
  targets: Int32Array.from({ length: 40 }, (_, i) => i % 3),
  classNames: ['<b>', 'two', 'three'],
  normalization: { kind: 'scale' },
});

const network = (): Model =>
  sequential({ inputShape: [4, 4, 3], seed: 2 }, [
    conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
    flatten(),
    dense({ units: 3, activation: 'softmax' }),
  ]);

const RECIPE = { engine, epochs: 3, batchSize: 8, validation: data } as const;

const open: TrainingUi[] = [];
after(() => Promise.all(open.map((ui) => ui.close())));

async function startUi(options: Parameters<typeof trainingUi>[0] = {}): Promise<TrainingUi> {
  const ui = await trainingUi(options);
  open.push(ui);
  return ui;
}

/** Asks with headers of one's own; `token`: that of the address, or another. */
function ask(
  ui: TrainingUi,
  {
    path = '/',
    method = 'GET',
    headers = {},
    body = '',
  }: Partial<Record<'path' | 'method' | 'body', string>> & {
    headers?: Record<string, string>;
  },
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const { port } = new URL(ui.url);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const control = (ui: TrainingUi, action: string) =>
  ask(ui, {
    path: '/control',
    method: 'POST',
    headers: { 'X-Faltung-Token': new URL(ui.url).hash.slice(1) },
    body: JSON.stringify({ action }),
  });

describe('a run that is looked at', () => {
  test('has the weights of one that is not, bit for bit', async () => {
    await using alone = network();
    await alone.fit(data, RECIPE);
    await using watched = network();
    const ui = await startUi();
    const listener = await listen(ui);
    const history = await watched.fit(data, { ...RECIPE, callbacks: [ui.callback], signal: ui.signal });
    assert.equal(weightsSha256(watched), weightsSha256(alone));
    const { view } = await listener.until(({ status }) => status === 'finished');
    assert.deepEqual(view.records, JSON.parse(JSON.stringify(history.epochs)));
    assert.equal(view.epochs, 3);
    await ui.close();
  });

  test('sends all to who connects, then what changes; both come to the same', async () => {
    await using model = network();
    const ui = await startUi({ title: 'A & B', sampleCount: 5 });
    const early = await listen(ui);
    assert.equal(early.view.status, 'waiting');
    await model.fit(data, { ...RECIPE, callbacks: [ui.callback] });
    ui.say('that was all');
    const late = await listen(ui);
    const { view } = await early.until(({ message }) => message !== undefined);
    assert.deepEqual(view, late.view);
    assert.equal(view.title, 'A & B');
    assert.equal(view.status, 'finished');
    assert.equal(view.samples!.pictures.length, 5);
    assert.equal(view.samples!.epoch, 3);
    assert.match(view.samples!.pictures[0]!.image!, /^data:image\/png;base64,/);
    assert.equal(view.filters!.pictures.length, 4);
    assert.match(view.filters!.title, /^conv2d: 4 filters of 3 x 3$/);
    assert.ok(view.points.length >= 1);
    for (const point of view.points) {
      assert.ok(point.loss > 0 && point.accuracy >= 0 && point.accuracy <= 1 && point.imagesPerSecond > 0);
    }
    await ui.close();
    assert.equal(await early.closed, 'closed');
  });

  test('goes on where samples cannot be shown, and says why', async () => {
    await using model = network();
    const ui = await startUi({
      samples: arrayDataset({ inputs: new Uint8Array(75), inputShape: [5, 5, 3], targets: [0], classes: 3 }),
    });
    const history = await model.fit(data, { ...RECIPE, callbacks: [ui.callback] });
    assert.equal(history.end, 'finished');
    const { view } = await listen(ui);
    assert.match(
      view.message!,
      /^Samples cannot be shown: predict: dataset\.inputShape: expected \[4, 4, 3\], got \[5, 5, 3\]/,
    );
    assert.equal(view.samples, undefined);
    assert.equal(view.filters!.epoch, 3);
    await ui.close();
  });

  test('of vectors, without convolutions, has curves alone', async () => {
    const vectors = arrayDataset({
      inputs: new Float32Array(16),
      inputShape: [2],
      targets: Int32Array.from('01'.repeat(4)),
    });
    await using model = sequential({ inputShape: [2] }, [dense({ units: 2, activation: 'softmax' })]);
    const ui = await startUi();
    await model.fit(vectors, { engine, callbacks: [ui.callback] });
    const { view } = await listen(ui);
    assert.deepEqual([view.samples, view.filters, view.records.length], [undefined, undefined, 1]);
    await ui.close();
  });
});

describe('pause, resume, stop', () => {
  /** A run of many epochs, and how many steps it has made. */
  async function started() {
    const model = network();
    const ui = await startUi();
    const abort = new AbortController();
    let steps = 0;
    const counter: Callback = { onBatchEnd: () => void steps++ };
    const signal = AbortSignal.any([ui.signal, abort.signal]);
    const options = { ...RECIPE, epochs: 100_000, callbacks: [counter, ui.callback], signal };
    const running = model.fit(data, options);
    const listener = await listen(ui);
    await listener.until(({ progress }) => progress !== undefined);
    return { model, ui, abort, running, listener, steps: () => steps };
  }

  /** The number of steps once it stands still. */
  async function halted(steps: () => number): Promise<number> {
    for (let before = -1; ; ) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (steps() === before) return before;
      before = steps();
    }
  }

  test('a paused run makes no step, goes on where it was, and is stopped between two steps', async () => {
    const { model, ui, running, listener, steps } = await started();
    assert.equal((await control(ui, 'pause')).status, 204);
    await listener.until(({ status }) => status === 'paused');
    const paused = await halted(steps);
    assert.equal((await control(ui, 'pause')).status, 204);
    await control(ui, 'resume');
    await listener.until(({ status, progress }) => status === 'running' && progress !== undefined);
    while (steps() < paused + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await control(ui, 'pause');
    await listener.until(({ status }) => status === 'paused');
    assert.equal((await control(ui, 'stop')).status, 204);
    assert.equal((await running).end, 'aborted');
    await listener.until(({ status }) => status === 'aborted');
    // Too late to change anything.
    await control(ui, 'pause');
    assert.equal((await listen(ui)).view.status, 'aborted');
    await ui.close();
    await model.close();
  });

  test('a paused run ends when another signal aborts it', async () => {
    const { model, ui, abort, running, listener } = await started();
    await control(ui, 'pause');
    await listener.until(({ status }) => status === 'paused');
    abort.abort();
    assert.equal((await running).end, 'aborted');
    await ui.close();
    await model.close();
  });

  test('closing the page lets a paused run go on', async () => {
    const { model, ui, abort, running, listener, steps } = await started();
    await control(ui, 'pause');
    await listener.until(({ status }) => status === 'paused');
    const paused = await halted(steps);
    await ui.close();
    while (steps() < paused + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await running;
    await model.close();
  });
});

describe('strangers', () => {
  test('a foreign Host or Origin is refused, on every path', async () => {
    const ui = await startUi();
    const { host, hash } = new URL(ui.url);
    const refused: Record<string, string>[] = [
      { host: 'evil.example' },
      { host: `evil.example:${new URL(ui.url).port}` },
      { host: '127.0.0.1.evil.example' },
      { host: '192.168.0.1' },
      { host, origin: 'http://evil.example' },
      { host, origin: 'null' },
      { host, origin: 'http://127.0.0.1:1' },
      { host, origin: `https://${host}` },
      { host, 'sec-fetch-site': 'cross-site' },
      { host, 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of refused) {
      for (const path of ['/', '/events', '/nothing']) {
        assert.equal((await ask(ui, { path, headers })).status, 403, JSON.stringify(headers));
      }
      const token = { 'X-Faltung-Token': hash.slice(1) };
      const post = {
        path: '/control',
        method: 'POST',
        headers: { ...headers, ...token },
        body: '{"action":"stop"}',
      };
      assert.equal((await ask(ui, post)).status, 403);
    }
    assert.equal(ui.signal.aborted, false);
    for (const name of [host, 'localhost:9', 'LOCALHOST', '[::1]:80']) {
      assert.equal((await ask(ui, { headers: { host: name, origin: `http://${name}` } })).status, 200, name);
    }
    await ui.close();
  });

  test('what changes the run needs the token of the address', async () => {
    const ui = await startUi();
    const token = new URL(ui.url).hash.slice(1);
    assert.match(token, /^[\w-]{32}$/);
    const post = (headers: Record<string, string>, body = '{"action":"stop"}') =>
      ask(ui, { path: '/control', method: 'POST', headers, body });
    for (const headers of [
      {},
      { 'X-Faltung-Token': '' },
      { 'X-Faltung-Token': `${token}a` },
      { 'X-Faltung-Token': token.toLowerCase() },
    ] as Record<string, string>[]) {
      const { status, text } = await post(headers);
      assert.equal(status, 401);
      assert.match(text, /open the address that the run printed/);
    }
    const good = { 'X-Faltung-Token': token };
    for (const body of ['', '{', 'null', '[]', '{"action":"quit"}', `{"action":"stop"${' '.repeat(2000)}}`]) {
      assert.equal((await post(good, body)).status, 400, body.slice(0, 20));
    }
    assert.equal((await ask(ui, { path: '/control', headers: good })).status, 405);
    assert.equal((await ask(ui, { method: 'POST', headers: good })).status, 405);
    assert.equal((await ask(ui, { path: '/../../package.json' })).status, 404);
    assert.equal(ui.signal.aborted, false);
    const page = await ask(ui, {});
    assert.ok(!page.text.includes(token), 'the page itself does not give the token away');
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; script-src 'self'/);
    assert.equal(page.headers['access-control-allow-origin'], undefined);
    assert.equal((await post(good)).status, 204);
    assert.equal(ui.signal.aborted, true);
    await ui.close();
  });

  test('a page too many is refused, and does not stay', async () => {
    const ui = await startUi();
    const listeners = [];
    for (let i = 0; i < 32; i++) listeners.push(await listen(ui));
    assert.equal((await ask(ui, { path: '/events' })).status, 503);
    assert.equal(ui.listeners, 32);
    listeners[0]!.leave();
    while (ui.listeners === 32) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await listen(ui)).view.status, 'waiting');
    await ui.close();
  });

  test('a port that is taken, or none, is refused', async () => {
    const ui = await startUi();
    const port = Number(new URL(ui.url).port);
    await assert.rejects(
      trainingUi({ port }),
      (error) =>
        error instanceof ConfigError &&
        /^trainingUi: port: expected to listen on 127\.0\.0\.1:\d+, got .*EADDRINUSE.* \(port 0 takes a free one\)/.test(
          error.message,
        ),
    );
    for (const wrong of [-1, 65_536, 1.5, Number.NaN]) {
      await assert.rejects(trainingUi({ port: wrong }), /port: expected a port, or 0 for a free one/);
    }
    await ui.close();
  });
});
