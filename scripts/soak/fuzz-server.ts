/**
 * The server of examples/ under fire, over raw connections: it predicts or answers with a 4xx, to nobody under a
 * foreign name, sends no file, and goes on answering.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { loadSharp } from '../../src/data/images/sharp.ts';
import { exchange } from './fuzz/exchange.ts';
import { randomOf } from './fuzz/random.ts';
import { hostileRequest, type Route } from './fuzz/requests.ts';
import { type Soak, trialSeed } from './soak.ts';

const SERVER = fileURLToPath(new URL('../../examples/server.ts', import.meta.url));
const START_MS = 60_000;

/** Starts it on drawn images; resolves with its port. */
async function startServer(folder: string): Promise<{ child: ChildProcess; port: number }> {
  const args = [SERVER, '--data', 'synthetic', '--limit', '64', '--epochs', '1', '--port', '0'];
  const env = { ...process.env, HOME: folder };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  const port = new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      const found = /Listening on \S+:(\d+)/.exec(printed);
      if (found !== null) resolve(Number(found[1]));
    });
    child.once('exit', () => reject(new Error(`the server ended: ${printed}`)));
    setTimeout(() => reject(new Error(`not listening: ${printed}`)), START_MS).unref();
  });
  return { child, port: await port };
}

async function routesOf(): Promise<Route[]> {
  const sharp = await loadSharp();
  const picture = { create: { width: 9, height: 7, channels: 3, background: '#a31' } } as const;
  const pixels = { 'Content-Type': 'application/octet-stream' };
  const predict = { method: 'POST', path: '/predict' };
  return [
    { method: 'GET', path: '/' },
    { ...predict, headers: pixels, body: new Uint8Array(3072).fill(90) },
    { ...predict, headers: { 'Content-Type': 'image/png' }, body: await sharp(picture).png().toBuffer() },
    { ...predict, headers: {}, body: await sharp(picture).jpeg().toBuffer() },
    { method: 'POST', path: '/stop' },
  ];
}

export const fuzzServer: Soak = {
  name: 'fuzz-server',
  claim: 'requests to examples/server.ts: an answer or a 4xx, to this machine alone, and it goes on',
  unit: 'requests',
  count: 100_000,
  async start({ seed, folder }) {
    const routes = await routesOf();
    const { child, port } = await startServer(folder);
    const host = `127.0.0.1:${port}`;
    return {
      async trial(index) {
        const random = randomOf(trialSeed(seed, index));
        const request = hostileRequest(random, routes, host);
        const { status, text } = await exchange(port, request.bytes, !request.wellFormed);
        const shown = `${status} to ${JSON.stringify(Buffer.from(request.bytes).toString('latin1').slice(0, 300))}`;
        const refused = status >= 400 && status < 500;
        const strange = request.host !== host || (request.origin ?? `http://${host}`) !== `http://${host}`;
        if (request.wellFormed && strange && request.method !== 'CONNECT') assert.ok(refused, shown);
        else {
          // Without a word node closes what asks for a proxy.
          const closed = status === 0 && (!request.wellFormed || request.method === 'CONNECT');
          assert.ok(refused || status === 200 || closed, shown);
        }
        assert.doesNotMatch(text, /root:|"dependencies"|createServer/, `a file: ${shown}`);
        assert.equal(child.exitCode, null, `it ended: ${shown}`);
        if (index % 100 === 0) {
          const plain = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
          const good = await exchange(port, Buffer.from(plain));
          assert.equal(good.status, 200, 'it answers no longer');
        }
        return { total: { [status === 0 ? 'closed' : refused ? 'refused' : 'answered']: 1 } };
      },
      async close() {
        if (child.exitCode !== null) return;
        child.kill('SIGTERM');
        await once(child, 'exit');
      },
    };
  },
};
