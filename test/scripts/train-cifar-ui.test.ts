/** `train:cifar --ui` and `npm run ui -- RUN`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTraining } from '../helpers/command.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { listen } from '../helpers/ui-listener.ts';

const RUN = ['--data', 'synthetic', '--limit', '32', '--batch-size', '8', '--threads', '1', '--ui'];
const SCRIPT = fileURLToPath(new URL('../../scripts/ui.ts', import.meta.url));

/** Runs `npm run ui` until it has printed an address, and what it prints. */
function startUi(args: readonly string[]) {
  const child = spawn(process.execPath, [SCRIPT, ...args], { timeout: 60_000 });
  let output = '';
  const address = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const url = /http:\S+\//.exec(output)?.[0];
        if (url !== undefined) resolve(url);
      });
    }
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, address, ended, output: () => output };
}

describe('the page of train:cifar', () => {
  test('is served while it trains, stops and saves the run, and shows it again afterwards', async () => {
    const out = temporaryFolder();
    const run = startTraining([...RUN, '--epochs', '900', '--out', out]);
    const [, url = ''] = await run.printed(/Follow it at (\S+)\n/);
    const listener = await listen({ url });
    assert.equal(listener.view.title, `train:cifar, ${out}`);
    const { view } = await listener.until(
      ({ records, samples }) => records.length > 0 && samples !== undefined,
    );
    assert.deepEqual(
      [view.epochs, view.samples!.pictures.length, view.filters!.pictures.length],
      [900, 24, 32],
    );
    const headers = { 'X-Faltung-Token': new URL(url).hash.slice(1) };
    const stop = await fetch(new URL('/control', url), {
      method: 'POST',
      headers,
      body: '{"action":"stop"}',
    });
    assert.equal(stop.status, 204);
    const { view: last } = await listener.until(({ message }) => message !== undefined);
    assert.equal(last.message, `Saved. This goes on with it: npm run train:cifar -- --resume ${out}`);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 130, stdout + stderr);
    assert.match(stdout, /^Stopped in epoch \d+ of 900/m);

    const again = startUi([out]);
    const shown = await listen({ url: await again.address });
    assert.equal(shown.view.status, 'aborted');
    assert.equal(shown.view.records.length, last.records.length);
    assert.equal(shown.view.samples!.pictures.length, 24);
    again.child.kill('SIGTERM');
    assert.equal(await again.ended, 0, again.output());

    const epochs = String(last.records.length + 2);
    const resumed = startTraining(['--resume', out, '--epochs', epochs, '--threads', '1', '--ui']);
    const [, next = ''] = await resumed.printed(/Follow it at (\S+)\n/);
    const follower = await listen({ url: next });
    assert.equal(follower.view.records.length, last.records.length);
    const { view: whole } = await follower.until(({ status }) => status === 'finished');
    assert.equal(whole.records.length, last.records.length + 2);
    assert.equal((await resumed.ended).code, 0);
  });

  test('what is no run is refused', async () => {
    const refused = [
      [[temporaryFolder()], 1, /showRun: .*metrics\.jsonl: expected to read it, got ENOENT/],
      [[], 2, /ui: options: expected one run's folder, got none/],
      [['a', 'b'], 2, /got a b/],
      [['a', '--frob'], 2, /'--frob'/],
      [['a', '--port', '70000'], 2, /--port: expected a whole number from 0 to 65535/],
    ] as const;
    await Promise.all(
      refused.map(async ([args, code, message]) => {
        const { ended, output } = startUi(args);
        assert.equal(await ended, code, output());
        assert.match(output(), message);
      }),
    );
  });
});
