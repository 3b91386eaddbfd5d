/**
 * The page's server under fire, over raw connections: answers are its pages, events or a 4xx; no file but the page's
 * own is sent, nobody without the token moves the run, and it goes on answering.
 */
import assert from 'node:assert/strict';
import { readPageFiles } from '../../src/ui/page-files.ts';
import { startServer } from '../../src/ui/server.ts';
import { exchange } from './fuzz/exchange.ts';
import { randomOf } from './fuzz/random.ts';
import { hostileRequest, type Route } from './fuzz/requests.ts';
import { type Soak, trialSeed } from './soak.ts';

const TOKEN = 'a-token-that-no-change-of-bytes-finds';
const VIEW = {
  title: 'T',
  status: 'running',
  controllable: true,
  epochs: 1,
  records: [],
  points: [],
} as const;
const ACTION = Buffer.from('{"action":"pause"}');
/** Whether an answer of that status is a refusal; 200 and 204 are looked at by themselves. */
const isRefusal = (status: number) => status >= 400 && status < 500;

export const fuzzUi: Soak = {
  name: 'fuzz-ui',
  claim: 'requests to the page: its own files, events or a 4xx; nothing moves without the token',
  unit: 'requests',
  count: 100_000,
  async start({ seed }) {
    const actions: string[] = [];
    const server = await startServer({
      view: VIEW,
      port: 0,
      token: TOKEN,
      onControl: (action) => actions.push(action),
    });
    const host = `127.0.0.1:${server.port}`;
    const pages = readPageFiles();
    const bodies = new Set([...pages.values()].map(({ body }) => body.toString('latin1')));
    const headers = { 'Content-Type': 'application/json' };
    const control = { method: 'POST', path: '/control', headers, body: ACTION };
    const routes: Route[] = [
      ...[...pages.keys(), '/events'].map((path) => ({ method: 'GET', path })),
      control,
      { ...control, headers: { ...headers, 'X-Faltung-Token': `${TOKEN}x` } },
      { ...control, headers: { ...headers, 'X-Faltung-Token': TOKEN } },
    ];
    return {
      async trial(index) {
        const random = randomOf(trialSeed(seed, index));
        const request = hostileRequest(random, routes, host);
        const before = actions.length;
        const { status, text } = await exchange(server.port, request.bytes, !request.wellFormed);
        const shown = `${status} to ${JSON.stringify(Buffer.from(request.bytes).toString('latin1').slice(0, 300))}`;
        if (actions.length > before) {
          assert.ok(Buffer.from(request.bytes).includes(TOKEN), `moved without the token: ${shown}`);
          assert.ok([200, 204].includes(status) || !request.wellFormed, shown);
        }
        if (request.wellFormed) {
          const strange = request.host !== host || (request.origin ?? `http://${host}`) !== `http://${host}`;
          if (strange) assert.ok(isRefusal(status), shown);
          else assert.ok([200, 204].includes(status) || isRefusal(status), shown);
        } else assert.ok([0, 200, 204].includes(status) || isRefusal(status), shown);
        if (status === 200) {
          const body = text.slice(text.indexOf('\r\n\r\n') + 4);
          const own = bodies.has(body) || /^content-type: text\/event-stream/im.test(text);
          // Of two requests on one connection there are two answers.
          assert.ok(own || !request.wellFormed, `another body: ${shown}`);
        }
        assert.doesNotMatch(text, /root:|"dependencies"|startServer/, `a file: ${shown}`);
        if (index % 100 === 0) {
          const plain = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
          const good = await exchange(server.port, Buffer.from(plain));
          assert.equal(good.status, 200, 'it answers no longer');
        }
        const kind = status === 0 ? 'closed' : status < 400 ? 'answered' : 'refused';
        return { total: { [kind]: 1, moved: actions.length - before } };
      },
      close: () => server.close(),
    };
  },
};
